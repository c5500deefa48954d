/** Enough of a mail address to know one's own by, and nothing for others: t…@mizuki.example. */
export function hiddenAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, 1)}…${address.slice(at)}`;
}
