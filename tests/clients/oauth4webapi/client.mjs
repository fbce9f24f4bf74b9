// A strict OAuth client. It reads lines of JSON and answers each with one:
//   {"do": "begin", …} → {"url", …}     {"do": "finish", "url"} → what the server granted
//   {"do": "service", …} → a token of a backend service
import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const LOCAL = { [oauth.allowInsecureRequests]: true };
const held = {};

async function discover(issuer, algorithm) {
  const url = new URL(issuer);
  const answer = await oauth.discoveryRequest(url, { ...LOCAL, algorithm });
  return oauth.processDiscoveryResponse(url, answer);
}

async function authentication({ method, secret, key, algorithm }) {
  if (method === "none") return oauth.None();
  if (method === "client_secret_basic") return oauth.ClientSecretBasic(secret);
  if (method === "client_secret_post") return oauth.ClientSecretPost(secret);
  const kinds = {
    ES384: { name: "ECDSA", namedCurve: "P-384" },
    RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  };
  const imported = await crypto.subtle.importKey("jwk", key, kinds[algorithm], false, ["sign"]);
  // SMART asks for a header that RFC 7523 leaves open.
  const typed = { [oauth.modifyAssertion]: (header) => { header.typ = "JWT"; } };
  return oauth.PrivateKeyJwt({ key: imported, kid: key.kid }, typed);
}

async function begin(asked) {
  held.as = await discover(asked.issuer, asked.discovery);
  held.client = { client_id: asked.client };
  held.authentication = await authentication(asked);
  held.dpop = asked.dpop
    ? oauth.DPoP(held.client, await oauth.generateKeyPair("ES256"))
    : undefined;
  held.redirect = asked.redirect;
  held.verifier = oauth.generateRandomCodeVerifier();
  held.state = oauth.generateRandomState();
  held.nonce = oauth.generateRandomNonce();
  const parameters = new URLSearchParams({
    client_id: asked.client,
    redirect_uri: asked.redirect,
    response_type: "code",
    scope: asked.scope,
    aud: asked.issuer,
    state: held.state,
    nonce: held.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(held.verifier),
    code_challenge_method: "S256",
  });
  const url = new URL(held.as.authorization_endpoint);
  if (asked.par) {
    const pushed = await withNonce(async () => {
      const answer = await oauth.pushedAuthorizationRequest(
        held.as, held.client, held.authentication, parameters, { ...LOCAL, DPoP: held.dpop });
      return oauth.processPushedAuthorizationResponse(held.as, held.client, answer);
    });
    url.search = new URLSearchParams({
      client_id: asked.client, request_uri: pushed.request_uri,
    });
  } else {
    url.search = parameters;
  }
  return { url: url.href };
}

async function finish({ url }) {
  const { as, client } = held;
  const told = oauth.validateAuthResponse(as, client, new URL(url), held.state);
  const granted = await withNonce(async () => {
    const answer = await oauth.authorizationCodeGrantRequest(
      as, client, held.authentication, told, held.redirect, held.verifier,
      { ...LOCAL, DPoP: held.dpop });
    return oauth.processAuthorizationCodeResponse(as, client, answer, {
      expectedNonce: held.nonce, requireIdToken: true,
    });
  });
  const claims = oauth.getValidatedIdTokenClaims(granted);
  const options = { ...LOCAL, DPoP: held.dpop };
  const user = await withNonce(async () => {
    const answer = await oauth.userInfoRequest(as, client, granted.access_token, options);
    return oauth.processUserInfoResponse(as, client, claims.sub, answer);
  });
  const resource = await read(granted.access_token, `${as.issuer}/Patient/${granted.patient}`);
  const refreshed = await withNonce(async () => {
    const answer = await oauth.refreshTokenGrantRequest(
      as, client, held.authentication, granted.refresh_token, options);
    return oauth.processRefreshTokenResponse(as, client, answer);
  });
  const again = oauth.getValidatedIdTokenClaims(refreshed);
  return { granted, claims, user, resource, refreshed, again, iss: told.get("iss") };
}

async function read(token, url) {
  const answer = await withNonce(() =>
    oauth.protectedResourceRequest(
      token, "GET", new URL(url), undefined, undefined, { ...LOCAL, DPoP: held.dpop }));
  return answer.json();
}

async function service(asked) {
  const as = await discover(asked.issuer, asked.discovery);
  const client = { client_id: asked.client };
  const answer = await oauth.clientCredentialsGrantRequest(
    as, client, await authentication(asked), new URLSearchParams({ scope: asked.scope }), LOCAL);
  return oauth.processClientCredentialsResponse(as, client, answer);
}

// The first proof has no nonce of the server yet.
async function withNonce(work) {
  try {
    return await work();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return work();
  }
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    console.log(JSON.stringify(await { begin, finish, service }[asked.do](asked)));
  } catch (error) {
    const cause = error.error_description ?? error.cause?.message ?? "";
    console.log(JSON.stringify({ failed: `${error.code ?? error.name} ${error.message} ${cause}` }));
  }
}
