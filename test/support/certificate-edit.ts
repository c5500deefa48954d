import { oid } from "../../src/pki/der.ts";
import {
  constructed,
  decode,
  type DerNode,
  descend,
  encode,
  member,
  primitive,
} from "./der-edit.ts";

/** Ways to break a TBSCertificate at one place. */

/** Where the members of a TBSCertificate stand. */
export const SERIAL = 1;
export const ALGORITHM = 2;
export const ISSUER = 3;
export const VALIDITY = 4;
export const SUBJECT = 5;
export const SPKI = 6;
export const EXTENSIONS = 7;

export const extensionsOf = (tbs: DerNode): DerNode[] => descend(tbs, EXTENSIONS, 0).children;

export const oidOf = (one: DerNode): string => Buffer.from(encode(descend(one, 0))).toString("hex");

export function extension(tbs: DerNode, dotted: string): DerNode {
  const wanted = Buffer.from(oid(dotted)).toString("hex");
  const found = extensionsOf(tbs).find((one) => oidOf(one) === wanted);
  if (found === undefined) throw new Error(`no extension ${dotted}`);
  return found;
}

export const TRUE = primitive(0x01, Uint8Array.of(0xff));

export function makeCritical(tbs: DerNode, dotted: string): void {
  extension(tbs, dotted).children.splice(1, 0, TRUE);
}

export function makeUncritical(tbs: DerNode, dotted: string): void {
  extension(tbs, dotted).children.splice(1, 1);
}

export function setValue(tbs: DerNode, dotted: string, value: DerNode): void {
  member(extension(tbs, dotted).children.slice(-1), 0).content = encode(value);
}

export function remove(tbs: DerNode, dotted: string): void {
  const list = extensionsOf(tbs);
  list.splice(list.indexOf(extension(tbs, dotted)), 1);
}

export function add(tbs: DerNode, dotted: string, value: DerNode): void {
  extensionsOf(tbs).push(constructed(0x30, decode(oid(dotted)), primitive(0x04, encode(value))));
}

export function setSerial(tbs: DerNode, content: Uint8Array): void {
  descend(tbs, SERIAL).content = content;
}

export const oids = (...dotted: string[]): DerNode =>
  constructed(0x30, ...dotted.map((one) => decode(oid(one))));
export const policies = (...dotted: string[]): DerNode =>
  constructed(0x30, ...dotted.map((one) => oids(one)));
export const names = (...all: DerNode[]): DerNode => constructed(0x30, ...all);
export const uri = (text: string): DerNode => primitive(0x86, text);
export const point = (...members: DerNode[]): DerNode =>
  constructed(0x30, constructed(0x30, ...members));
export const fullName = (...all: DerNode[]): DerNode =>
  constructed(0xa0, constructed(0xa0, ...all));
export const access = (method: string, location: DerNode): DerNode =>
  constructed(0x30, constructed(0x30, decode(oid(method)), location));
export const bits = (...octets: number[]): DerNode => primitive(0x03, Uint8Array.from(octets));
export const attribute = (dotted: string, tag: number, text: string): DerNode =>
  constructed(0x30, decode(oid(dotted)), primitive(tag, text));
export const rdn = (...attributes: DerNode[]): DerNode => constructed(0x31, ...attributes);

export const AKI = "2.5.29.35";
export const SKI = "2.5.29.14";
export const KU = "2.5.29.15";
export const SAN = "2.5.29.17";
export const BC = "2.5.29.19";
export const CRLDP = "2.5.29.31";
export const POLICIES = "2.5.29.32";
export const EKU = "2.5.29.37";
export const AIA = "1.3.6.1.5.5.7.1.1";
export const NOCHECK = "1.3.6.1.5.5.7.48.1.5";
export const CN = "2.5.4.3";
export const NULL = primitive(0x05, "");

/** The same with the last bit changed. */
export function flipLast(content: Uint8Array): Uint8Array {
  const copy = content.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}
