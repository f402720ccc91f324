/**
 * The bearer tokens of writes: HS256, always with an end. Knows tokens only; not what they open.
 */
import { compactVerify, errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { BobbinError } from "../errors.ts";
import type { HeaderSource } from "../http.ts";

/** What a token says: the one service it may write, or undefined for all of them. */
export interface Claims {
  readonly service: string | undefined;
}

const ISSUER = "bobbin";
const MAX_TOKEN_LENGTH = 8_192;
/** More tokens than this in one header are nobody's honest header. */
const MAX_TOKENS = 8;

const keyOf = (secret: string): Uint8Array => new TextEncoder().encode(secret);

export function createToken(secret: string, ttlSeconds: number, service?: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims: JWTPayload = service === undefined ? {} : { service };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(ISSUER)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .sign(keyOf(secret));
}

/** Throws UNAUTHENTICATED for a token that is unsigned, expired, without an end, of another algorithm or secret. */
export async function verifyToken(secret: string, token: string): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(token, keyOf(secret), {
      algorithms: ["HS256"],
      requiredClaims: ["exp"],
    });
    if (payload.service !== undefined && typeof payload.service !== "string") {
      throw new BobbinError("UNAUTHENTICATED", "The token's claim `service` is not a name.");
    }
    return { service: payload.service };
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    const why = error instanceof errors.JWTExpired ? "has expired" : "is not valid";
    throw new BobbinError("UNAUTHENTICATED", `The bearer token ${why}.`, { cause: error });
  }
}

/** Whether the secret signed the token, be it expired or not. */
export async function isSignedBy(secret: string, token: string): Promise<boolean> {
  if (token.length > MAX_TOKEN_LENGTH) return false;
  try {
    await compactVerify(token, keyOf(secret), { algorithms: ["HS256"] });
    return true;
  } catch {
    // Somebody else's token: none of bobbin's business.
    return false;
  }
}

/** From the beginning of a word only: else a long one would be searched again from each of its letters. */
const TOKEN_FORM = /(?<![\w-])[\w-]+\.[\w-]+\.[\w-]+/g;

/** Whatever has the form of a token in the authorization header, however it is written there. */
export function tokensIn(headers: HeaderSource): string[] {
  return (headers.get("authorization")?.match(TOKEN_FORM) ?? []).slice(0, MAX_TOKENS);
}

/** The bearer token of a request, or undefined. */
export function bearerToken(headers: HeaderSource): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
}
