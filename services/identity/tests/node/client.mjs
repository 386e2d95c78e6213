// openid-client's way through our provider: told what to do by lines of JSON, tells what it got.
import * as client from "openid-client";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value);
const say = (what) => console.log(JSON.stringify(what));

async function authentication(task) {
  if (task.key) {
    const curve = { name: "ECDSA", namedCurve: "P-256" };
    const key = await crypto.subtle.importKey("jwk", task.key, curve, false, ["sign"]);
    return client.PrivateKeyJwt({ key, kid: task.key.kid });
  }
  return task.secret ? client.ClientSecretBasic(task.secret) : client.None();
}

const task = await hear();
const config = await client.discovery(
  new URL(task.issuer),
  task.client_id,
  { id_token_signed_response_alg: task.algorithm },
  await authentication(task),
  { execute: [client.allowInsecureRequests] }, // the test's provider listens on loopback
);
const options = task.dpop
  ? { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256")) }
  : {};
const verifier = client.randomPKCECodeVerifier();
const expected = { state: client.randomState(), nonce: client.randomNonce() };
const asked = {
  redirect_uri: task.redirect_uri,
  scope: "openid profile",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  ...expected,
};
const address = task.par
  ? await client.buildAuthorizationUrlWithPAR(config, asked, options)
  : client.buildAuthorizationUrl(config, asked);
say({ address: address.href });

const { callback } = await hear();
const checks = {
  pkceCodeVerifier: verifier,
  expectedState: expected.state,
  expectedNonce: expected.nonce,
  idTokenExpected: true,
};
const tokens = await client.authorizationCodeGrant(
  config, new URL(callback), checks, undefined, options,
);
const claims = tokens.claims();
const known = await client.fetchUserInfo(config, tokens.access_token, claims.sub, options);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, options);
const again = await client.fetchUserInfo(config, fresh.access_token, claims.sub, options);
const described = task.secret || task.key
  ? await client.tokenIntrospection(config, fresh.refresh_token)
  : null;
await client.tokenRevocation(config, fresh.refresh_token);
const after = task.secret || task.key
  ? await client.tokenIntrospection(config, fresh.refresh_token)
  : null;
say({
  claims,
  type: tokens.token_type,
  name: known.name,
  again: again.sub,
  rotated: fresh.refresh_token !== tokens.refresh_token,
  active: [described?.active, after?.active],
  logout: client.buildEndSessionUrl(config, {
    id_token_hint: fresh.id_token,
    post_logout_redirect_uri: task.after_logout,
    state: "bye",
  }).href,
});
