/** Tokens for writes: the good one, and every kind that must not open anything. */
import { SignJWT, UnsecuredJWT } from "jose";

export const SECRET = "a secret of the test, longer than thirty-two characters";

const key = (secret: string) => new TextEncoder().encode(secret);

interface Form {
  secret?: string;
  algorithm?: string;
  /** As jose takes it; null: none. */
  expires?: string | null;
  claims?: Record<string, unknown>;
}

export function token({
  secret = SECRET,
  algorithm = "HS256",
  expires = "1h",
  claims = {},
}: Form = {}): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: algorithm }).setIssuedAt();
  if (expires !== null) jwt.setExpirationTime(expires);
  return jwt.sign(key(secret));
}

/** What each bad token is → the authorization header with it; undefined: no header. */
export async function badAuthorizations(): Promise<Record<string, string | undefined>> {
  return {
    none: undefined,
    "of another scheme": `Basic ${btoa("user:password")}`,
    "that is no token": "Bearer not-a-token",
    "that is empty": "Bearer ",
    expired: `Bearer ${await token({ expires: "-1 minute" })}`,
    "not yet valid": `Bearer ${await token({ claims: { nbf: Math.floor(Date.now() / 1000) + 3600 } })}`,
    unsigned: `Bearer ${new UnsecuredJWT({}).setExpirationTime("1h").encode()}`,
    "with its signature cut off": `Bearer ${(await token()).replace(/[^.]+$/, "")}`,
    "of another algorithm": `Bearer ${await token({ algorithm: "HS512" })}`,
    "of another secret": `Bearer ${await token({ secret: "another secret, as long as the right one is" })}`,
    "without an end": `Bearer ${await token({ expires: null })}`,
    "whose service is no name": `Bearer ${await token({ claims: { service: ["orders"] } })}`,
  };
}
