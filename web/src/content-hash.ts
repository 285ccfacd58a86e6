/**
 * The SHA-256 of a request's body in hexadecimal, which CloudFront wants in `x-amz-content-sha256` before it
 * signs a POST for a function URL. Browsers have it on https and localhost only, and elsewhere nobody asks for it.
 */
export async function contentHash(body: string): Promise<string | undefined> {
  if (globalThis.crypto?.subtle === undefined) return undefined;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
