/** A small DER tree for tests that break certificates on purpose. It shares no code with what it tests. */
export interface DerNode {
  tag: number;
  content: Uint8Array;
  children: DerNode[];
}

/** A primitive node. */
export const primitive = (tag: number, content: Uint8Array | string): DerNode => ({
  tag,
  content: typeof content === "string" ? new TextEncoder().encode(content) : content,
  children: [],
});

/** A constructed node. */
export const constructed = (tag: number, ...children: DerNode[]): DerNode => ({
  tag,
  content: new Uint8Array(),
  children,
});

function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { length: first, start: at + 1 };
  const octets = bytes.subarray(at + 1, at + 1 + first - 0x80);
  return {
    length: octets.reduce((sum, octet) => sum * 256 + octet, 0),
    start: at + 1 + octets.length,
  };
}

function decodeAll(bytes: Uint8Array): DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const { length, start } = readLength(bytes, at + 1);
    const content = bytes.subarray(start, start + length);
    nodes.push(
      (tag & 0x20) === 0 ? primitive(tag, content) : constructed(tag, ...decodeAll(content)),
    );
    at = start + length;
  }
  return nodes;
}

/** The tree of a DER value that is known to be good. */
export const decode = (bytes: Uint8Array): DerNode => member(decodeAll(bytes), 0);

export function encode(node: DerNode): Uint8Array {
  const content = (node.tag & 0x20) === 0 ? node.content : Buffer.concat(node.children.map(encode));
  const { length } = content;
  const header =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([node.tag, ...header]), content]);
}

/** The member there, or a failed test. */
export function member<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`no member ${index}`);
  return found;
}

/** Follows member numbers down the tree. */
export const descend = (node: DerNode, ...path: number[]): DerNode =>
  path.reduce((from, index) => member(from.children, index), node);
