// A provider we did not write, in the province's place: its own pages, the province's claims.
import { Provider } from "oidc-provider";

const [port, redirectUri, secret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  person: { account_type: "person", level: 4, name: "林小满", id_number: "440106199001010012" },
  odd: { account_type: "robot", level: 9, name: "", id_number: "" },
};
const provider = new Provider(issuer, {
  clients: [{ client_id: "jiuye", client_secret: secret, redirect_uris: [redirectUri] }],
  claims: { openid: ["sub"], profile: ["account_type", "level", "name", "id_number"] },
  pkce: { required: () => true },
  cookies: { keys: ["only-a-test"] },
  async findAccount(_context, id) {
    return { accountId: id, claims: async () => ({ sub: id, ...people[id] }) };
  },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
