import { readFileSync } from "node:fs";

/** All octets that Chromium sent, from a log of `--log-net-log` with the capture mode `Everything`, one text a socket. */
export function sentOctets(netLog: string): string[] {
  const { constants, events } = JSON.parse(readFileSync(netLog, "utf8")) as {
    readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> };
    readonly events: readonly {
      readonly type: number;
      readonly source: { readonly id: number };
      readonly params?: { readonly bytes?: string };
    }[];
  };
  const sending = new Set(
    Object.entries(constants.logEventTypes)
      .filter(([name]) => name.endsWith("BYTES_SENT"))
      .map(([, type]) => type),
  );
  const sent = new Map<number, Buffer[]>();
  for (const { type, source, params } of events) {
    if (!sending.has(type) || params?.bytes === undefined) continue;
    const parts = sent.get(source.id) ?? [];
    parts.push(Buffer.from(params.bytes, "base64"));
    sent.set(source.id, parts);
  }
  return [...sent.values()].map((parts) => Buffer.concat(parts).toString("latin1"));
}

/** What a text may also be read as: with its percent encoding undone, and without the ends of lines that split Base64. */
function readings(text: string): string[] {
  const decoded = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return [text, decoded].flatMap((each) => [each, each.replaceAll(/\s|\\[nr]/g, "")]);
}

/** Base64 of octets that begin at each of the three places of a group, without what depends on their neighbours. */
const inBase64 = (secret: Buffer): string[] =>
  [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), secret]).toString("base64");
    return whole.slice(before === 0 ? 0 : 4).slice(0, 4 * Math.floor((secret.length - 2) / 3));
  });

/** Each way to write a secret that somebody would understand. */
function spellings(secret: Buffer): string[] {
  const base64 = inBase64(secret);
  const url = base64.map((each) => each.replaceAll("+", "-").replaceAll("/", "_"));
  const hex = secret.toString("hex");
  return [secret.toString("latin1"), hex, hex.toUpperCase(), ...base64, ...url];
}

/** Whether any of the texts holds the octets, raw, in hex or inside of Base64, at any place and however its lines break. */
export function holds(texts: readonly string[], secret: Buffer): boolean {
  const wanted = spellings(secret);
  return texts.some((text) =>
    readings(text).some((reading) => wanted.some((each) => reading.includes(each))),
  );
}
