// Asks the browser to make or use a passkey when a form with data-passkey is sent, and puts what it
// says into the form. The only task that needs a script: browsers offer passkeys to nothing else.
(function () {
  "use strict";

  function toBytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (one) { return one.charCodeAt(0); });
  }

  function toText(bytes) {
    var plain = String.fromCharCode.apply(null, new Uint8Array(bytes));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function asked(options) {
    var wanted = options.publicKey;
    wanted.challenge = toBytes(wanted.challenge);
    if (wanted.user) { wanted.user.id = toBytes(wanted.user.id); }
    ["allowCredentials", "excludeCredentials"].forEach(function (name) {
      (wanted[name] || []).forEach(function (each) { each.id = toBytes(each.id); });
    });
    return { publicKey: wanted };
  }

  function answered(credential) {
    var response = {};
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]
      .forEach(function (name) {
        if (credential.response[name]) { response[name] = toText(credential.response[name]); }
      });
    return JSON.stringify({
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response: response,
      clientExtensionResults: {}
    });
  }

  document.querySelectorAll("form[data-passkey]").forEach(function (form) {
    var message = form.querySelector("[role=status]");
    if (!window.PublicKeyCredential) {
      message.textContent = "This browser has no passkeys. Use another way.";
      return;
    }
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var options = asked(JSON.parse(form.dataset.options));
      var asking = form.dataset.passkey === "create"
        ? navigator.credentials.create(options)
        : navigator.credentials.get(options);
      asking.then(function (credential) {
        form.elements.credential.value = answered(credential);
        HTMLFormElement.prototype.submit.call(form);
      }).catch(function () {
        message.textContent = "The passkey was not used. Try again, or use another way.";
      });
    });
  });
})();
