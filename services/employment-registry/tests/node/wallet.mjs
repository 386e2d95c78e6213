// A wallet and a verifier of other hands: OpenWallet's OpenID4VCI client, its SD-JWT VC, and jose.
// Told what to do by one line of JSON on standard input, tells what it got by one on standard output.
import { clientAuthenticationAnonymous, setGlobalConfig } from "@openid4vc/oauth2";
import { Openid4vciClient, Openid4vciVersion } from "@openid4vc/openid4vci";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import * as jose from "jose";
import { createHash, randomBytes } from "node:crypto";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const task = JSON.parse((await lines.next()).value);
setGlobalConfig({ allowInsecureUrls: true }); // the test's issuer listens on loopback

const { publicKey, privateKey } = await jose.generateKeyPair("ES256", { extractable: true });
const publicJwk = await jose.exportJWK(publicKey);
const sign = (data, key) => // raw ES256 over a string
  crypto.subtle
    .sign({ name: "ECDSA", hash: "SHA-256" }, key, new TextEncoder().encode(data))
    .then((raw) => Buffer.from(raw).toString("base64url"));
const isSignedBy = async (jwk, data, signature) => {
  const key = await jose.importJWK(jwk, "ES256");
  const raw = Buffer.from(signature, "base64url");
  const how = { name: "ECDSA", hash: "SHA-256" };
  return crypto.subtle.verify(how, key, raw, new TextEncoder().encode(data));
};
const callbacks = {
  fetch,
  hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
  clientAuthentication: clientAuthenticationAnonymous(),
  signJwt: async (_, { header, payload }) => ({
    jwt: await new jose.SignJWT(payload).setProtectedHeader(header).sign(privateKey),
    signerJwk: publicJwk,
  }),
  verifyJwt: async (_, { compact, payload }) => {
    const place = wellKnown(payload.sub, "jwt-vc-issuer");
    const { jwks } = await (await fetch(place)).json();
    const { kid } = jose.decodeProtectedHeader(compact);
    await jose.compactVerify(compact, jose.createLocalJWKSet(jwks));
    return { verified: true, signerJwk: jwks.keys.find((key) => key.kid === kid) };
  },
};
const wellKnown = (issuer, name) => {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/${name}${pathname}`;
};

// The wallet: from the link to the copy.
const client = new Openid4vciClient({ callbacks });
const credentialOffer = await client.resolveCredentialOffer(task.link);
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
const { accessTokenResponse } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
  credentialOffer,
  issuerMetadata,
  txCode: task.transaction_code,
});
const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
const [credentialConfigurationId] = credentialOffer.credential_configuration_ids;
const { jwt } = await client.createCredentialRequestJwtProof({
  credentialConfigurationId,
  issuerMetadata,
  nonce,
  signer: { method: "jwk", publicJwk, alg: "ES256" },
});
const asked = {
  issuerMetadata,
  accessToken: accessTokenResponse.access_token,
  credentialConfigurationId,
  proofs: { jwt: [jwt] },
};
const { credentialResponse } = await client.retrieveCredentials(asked);
const replayed = await client
  .retrieveCredentials(asked)
  .catch((error) => error.response.credentialErrorResponseResult.data.error);
await client.sendNotification({
  issuerMetadata,
  accessToken: accessTokenResponse.access_token,
  notification: {
    notificationId: credentialResponse.notification_id,
    event: "credential_accepted",
  },
});

// The verifier: with published keys and the status list, knowing nothing but the issuer's name.
const { issuer, jwks } = await (await fetch(wellKnown(task.issuer, "jwt-vc-issuer"))).json();
if (issuer !== task.issuer) throw new Error("the keys are somebody else's");
const signer = (kid) => jwks.keys.find((key) => key.kid === kid);
const seen = [];
const verifier = new SDJwtVcInstance({
  hasher: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  hashAlg: "sha-256",
  saltGenerator: () => randomBytes(16).toString("base64url"),
  signAlg: "ES256",
  signer: (data) => sign(data, privateKey),
  verifier: async (data, signature) =>
    (await Promise.all(jwks.keys.map((key) => isSignedBy(key, data, signature)))).some(Boolean),
  kbSigner: (data) => sign(data, privateKey),
  kbSignAlg: "ES256",
  kbVerifier: (data, signature, payload) => isSignedBy(payload.cnf.jwk, data, signature),
  statusListFetcher: async (uri) => (await fetch(uri)).text(),
  statusValidator: async (status) => {
    seen.push(status);
    if (status !== 0) throw new Error("Status is not valid");
  },
});
const [{ credential }] = credentialResponse.credentials;
const whole = await verifier.verify(credential);
const iat = Math.floor(Date.now() / 1000);
const kb = { payload: { aud: "https://verifier.example", nonce: "of-the-verifier", iat } };
const shown = await verifier.present(credential, { number: true, issued_on: true }, { kb });
const told = await verifier.verify(shown, { keyBindingNonce: "of-the-verifier" });
const typed = await (await fetch(whole.payload.vct)).json();

// The signed certificate itself, by jose and the keys alone.
const local = jose.createLocalJWKSet(jwks);
const certificate = await jose.jwtVerify(task.signed, local, {
  issuer: task.issuer,
  typ: "employment-certificate+jwt",
  algorithms: ["ES256"],
});
const forged = task.signed.slice(0, -6) + (task.signed.at(-6) === "A" ? "B" : "A") + task.signed.slice(-5);
const refused = await jose.jwtVerify(forged, local).catch((error) => error.code);

console.log(
  JSON.stringify({
    isV1: issuerMetadata.originalDraftVersion === Openid4vciVersion.V1,
    replayed,
    whole: whole.payload,
    told: told.payload,
    holder: jose.decodeJwt(shown.split("~").at(-1)).nonce,
    statuses: seen,
    type: typed.vct,
    certificate: certificate.payload,
    refused,
  }),
);

// Later, when its status has changed.
const later = await lines.next();
if (!later.done) {
  const error = await verifier.verify(credential).catch((refusal) => refusal.message);
  console.log(JSON.stringify({ error: typeof error === "string" ? error : null, statuses: seen }));
}
process.exit(0);
