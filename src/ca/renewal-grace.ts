/** How late a renewal may be: a proxy stops an expired certificate before any page, so the portal asks who it is. */
const GRACE_MS = 14 * 24 * 60 * 60 * 1000;

/** Until when a certificate that ends then may still be followed by its renewal. */
export function renewableUntil(notAfter: Date): Date {
  return new Date(notAfter.getTime() + GRACE_MS);
}
