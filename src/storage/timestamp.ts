/** Milliseconds from 1970 to 2000, which is where PostgreSQL counts from. */
const EPOCH_MS = 946_684_800_000;

/** What `timestamptz_send` wrote at `at`: microseconds in 8 octets. In milliseconds since 1970, as a Date would have it. */
export function timestampAt(bytes: Buffer, at: number): number {
  const micros = bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
  return EPOCH_MS + Math.floor(micros / 1000);
}
