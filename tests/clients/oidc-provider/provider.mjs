// An OpenID provider for the tests: node provider.mjs '{"clients": […], "accounts": {…}}'
// Prints its issuer on one line. Who signs in types the name of an account.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const { clients, accounts } = JSON.parse(process.argv[2]);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    claims: { openid: ["sub", "nhs_number", "birthdate", "vot", "email", "selected_roleid", "nhsid_nrbac_roles"] },
    conformIdTokenClaims: false,
    extraParams: ["vtr"],
    features: { devInteractions: { enabled: true } },
    enabledJWA: { clientAuthSigningAlgValues: ["RS512", "ES256", "ES384"] },
    findAccount: (ctx, id) =>
      id in accounts
        ? { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }
        : undefined,
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
