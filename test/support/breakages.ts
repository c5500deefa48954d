import { oid } from "../../src/pki/der.ts";
import { ecKey } from "./certificates.ts";
import {
  ALGORITHM,
  ISSUER,
  VALIDITY,
  SUBJECT,
  SPKI,
  EXTENSIONS,
  extensionsOf,
  extension,
  TRUE,
  makeCritical,
  makeUncritical,
  setValue,
  remove,
  add,
  setSerial,
  oids,
  policies,
  names,
  uri,
  point,
  fullName,
  access,
  bits,
  attribute,
  rdn,
  AKI,
  SKI,
  KU,
  SAN,
  BC,
  CRLDP,
  POLICIES,
  EKU,
  AIA,
  NOCHECK,
  CN,
  NULL,
  flipLast,
} from "./certificate-edit.ts";
import { constructed, decode, type DerNode, descend, primitive } from "./der-edit.ts";

/** One way to break a certificate, and the lint that must find it. */
export interface Breakage {
  readonly lint: string;
  readonly how: string;
  readonly of?: string;
  readonly edit: (tbs: DerNode) => void;
}

/** At least one for every lint. */
export const BREAKAGES: readonly Breakage[] = [
  {
    lint: "version",
    how: "version 2",
    edit: (tbs) => (descend(tbs, 0, 0).content = Uint8Array.of(1)),
  },
  { lint: "serial_number", how: "zero", edit: (tbs) => setSerial(tbs, Uint8Array.of(0)) },
  {
    lint: "serial_number",
    how: "negative",
    edit: (tbs) => setSerial(tbs, new Uint8Array(16).fill(0x81)),
  },
  {
    lint: "serial_number",
    how: "21 octets",
    edit: (tbs) => setSerial(tbs, new Uint8Array(21).fill(0x41)),
  },
  {
    lint: "serial_number_entropy",
    how: "8 octets",
    edit: (tbs) => setSerial(tbs, new Uint8Array(8).fill(0x41)),
  },
  {
    lint: "serial_number_promised",
    how: "another",
    edit: (tbs) => setSerial(tbs, new Uint8Array(16).fill(0x41)),
  },
  {
    lint: "signature_algorithm",
    how: "ECDSA with NULL",
    edit: (tbs) => descend(tbs, ALGORITHM).children.push(NULL),
  },
  {
    lint: "validity_encoding",
    how: "a GeneralizedTime before 2050",
    edit: (tbs) => (descend(tbs, VALIDITY).children[1] = primitive(0x18, "20271221030000Z")),
  },
  {
    lint: "validity_order",
    how: "ends before it begins",
    edit: (tbs) =>
      void (descend(tbs, VALIDITY).children = descend(tbs, VALIDITY).children.toReversed()),
  },
  {
    lint: "validity_order",
    how: "outlives its issuer",
    edit: (tbs) => (descend(tbs, VALIDITY, 1).content = primitive(0, "450101000000Z").content),
  },
  {
    lint: "validity_promised",
    how: "another second",
    edit: (tbs) => (descend(tbs, VALIDITY, 1).content = primitive(0, "271221030001Z").content),
  },
  {
    lint: "issuer_name",
    how: "an RDN less",
    edit: (tbs) => void descend(tbs, ISSUER).children.pop(),
  },
  { lint: "issuer_name", how: "empty", edit: (tbs) => (descend(tbs, ISSUER).children = []) },
  {
    lint: "subject_promised",
    how: "another",
    edit: (tbs) => descend(tbs, SUBJECT).children.push(rdn(attribute(CN, 0x0c, "x"))),
  },
  {
    lint: "name_string_types",
    how: "a TeletexString",
    edit: (tbs) => (descend(tbs, SUBJECT, 0, 0, 1).tag = 0x14),
  },
  {
    lint: "name_string_types",
    how: "an attribute of another kind",
    edit: (tbs) => descend(tbs, SUBJECT).children.push(rdn(attribute("2.5.4.99", 0x0c, "x"))),
  },
  {
    lint: "name_upper_bounds",
    how: "65 characters",
    edit: (tbs) => (descend(tbs, SUBJECT, 0, 0, 1).content = primitive(0, "a".repeat(65)).content),
  },
  {
    lint: "subject_empty",
    how: "without a critical SAN",
    edit: (tbs) => (descend(tbs, SUBJECT).children = []),
  },
  { lint: "subject_empty", how: "a critical SAN beside it", edit: (tbs) => makeCritical(tbs, SAN) },
  {
    lint: "subject_empty",
    how: "a CA's",
    of: "issuing",
    edit: (tbs) => (descend(tbs, SUBJECT).children = []),
  },
  { lint: "authority_key_identifier", how: "missing", edit: (tbs) => remove(tbs, AKI) },
  { lint: "authority_key_identifier", how: "critical", edit: (tbs) => makeCritical(tbs, AKI) },
  {
    lint: "authority_key_identifier",
    how: "another key's",
    edit: (tbs) => setValue(tbs, AKI, constructed(0x30, primitive(0x80, "another key"))),
  },
  {
    lint: "authority_key_identifier",
    how: "with a serial number",
    edit: (tbs) =>
      setValue(tbs, AKI, constructed(0x30, primitive(0x80, "key"), primitive(0x82, "1"))),
  },
  { lint: "subject_key_identifier", how: "missing", edit: (tbs) => remove(tbs, SKI) },
  { lint: "subject_key_identifier", how: "critical", edit: (tbs) => makeCritical(tbs, SKI) },
  {
    lint: "subject_key_identifier",
    how: "another key's",
    edit: (tbs) => setValue(tbs, SKI, primitive(0x04, "another key")),
  },
  { lint: "key_usage", how: "missing", edit: (tbs) => remove(tbs, KU) },
  { lint: "key_usage", how: "not critical", edit: (tbs) => makeUncritical(tbs, KU) },
  { lint: "key_usage", how: "trailing zero bits", edit: (tbs) => setValue(tbs, KU, bits(0, 0x80)) },
  {
    lint: "key_usage",
    how: "a bit without a name",
    edit: (tbs) => setValue(tbs, KU, bits(6, 0x80, 0x40)),
  },
  { lint: "key_usage", how: "another bit", edit: (tbs) => setValue(tbs, KU, bits(6, 0xc0)) },
  {
    lint: "key_usage_of_ec",
    how: "keyEncipherment",
    edit: (tbs) => setValue(tbs, KU, bits(5, 0xa0)),
  },
  {
    lint: "key_usage_of_ca",
    how: "keyCertSign in a leaf",
    edit: (tbs) => setValue(tbs, KU, bits(2, 0x84)),
  },
  {
    lint: "key_usage_of_ca",
    how: "a CA without cRLSign",
    of: "issuing",
    edit: (tbs) => setValue(tbs, KU, bits(2, 0x04)),
  },
  {
    lint: "extended_key_usage",
    how: "any",
    edit: (tbs) => setValue(tbs, EKU, oids("2.5.29.37.0")),
  },
  { lint: "extended_key_usage", how: "critical", edit: (tbs) => makeCritical(tbs, EKU) },
  {
    lint: "extended_key_usage",
    how: "serverAuth",
    edit: (tbs) => setValue(tbs, EKU, oids("1.3.6.1.5.5.7.3.1")),
  },
  {
    lint: "ocsp_responder",
    how: "without nocheck",
    of: "ocsp",
    edit: (tbs) => remove(tbs, NOCHECK),
  },
  {
    lint: "ocsp_responder",
    how: "with a critical nocheck",
    of: "ocsp",
    edit: (tbs) => makeCritical(tbs, NOCHECK),
  },
  {
    lint: "ocsp_responder",
    how: "with clientAuth",
    of: "ocsp",
    edit: (tbs) => setValue(tbs, EKU, oids("1.3.6.1.5.5.7.3.9", "1.3.6.1.5.5.7.3.2")),
  },
  { lint: "ocsp_responder", how: "nocheck in a device's", edit: (tbs) => add(tbs, NOCHECK, NULL) },
  {
    lint: "basic_constraints",
    how: "empty in a leaf",
    edit: (tbs) => add(tbs, BC, constructed(0x30)),
  },
  {
    lint: "basic_constraints",
    how: "missing in a CA",
    of: "issuing",
    edit: (tbs) => remove(tbs, BC),
  },
  {
    lint: "basic_constraints",
    how: "not critical",
    of: "issuing",
    edit: (tbs) => makeUncritical(tbs, BC),
  },
  {
    lint: "basic_constraints",
    how: "another path length",
    of: "issuing",
    edit: (tbs) => setValue(tbs, BC, constructed(0x30, TRUE, primitive(0x02, Uint8Array.of(1)))),
  },
  {
    lint: "subject_alternative_name",
    how: "a URI without a scheme",
    edit: (tbs) => setValue(tbs, SAN, names(uri("device/1"))),
  },
  {
    lint: "subject_alternative_name",
    how: "a URI that is not ASCII",
    edit: (tbs) => setValue(tbs, SAN, names(uri("spiffe://薬局/1"))),
  },
  {
    lint: "subject_alternative_name",
    how: "a blank dNSName",
    edit: (tbs) => setValue(tbs, SAN, names(primitive(0x82, " "))),
  },
  {
    lint: "subject_alternative_name",
    how: "an address of 5 octets",
    edit: (tbs) => setValue(tbs, SAN, names(primitive(0x87, "12345"))),
  },
  {
    lint: "subject_alternative_name",
    how: "a mailbox beyond ASCII",
    edit: (tbs) => setValue(tbs, SAN, names(primitive(0x81, "薬@example.jp"))),
  },
  {
    lint: "subject_alternative_name",
    how: "a registered ID",
    edit: (tbs) => setValue(tbs, SAN, names(primitive(0x88, Uint8Array.of(0x2a)))),
  },
  {
    lint: "subject_alternative_name_promised",
    how: "another device",
    edit: (tbs) => setValue(tbs, SAN, names(uri("spiffe://x/device/2"))),
  },
  {
    lint: "subject_alternative_name_promised",
    how: "a host less",
    of: "server",
    edit: (tbs) => setValue(tbs, SAN, names(primitive(0x82, "localhost"))),
  },
  { lint: "crl_distribution_points", how: "critical", edit: (tbs) => makeCritical(tbs, CRLDP) },
  {
    lint: "crl_distribution_points",
    how: "https",
    edit: (tbs) => setValue(tbs, CRLDP, point(fullName(uri("https://va/1.crl")))),
  },
  {
    lint: "crl_distribution_points",
    how: "reasons only",
    edit: (tbs) => setValue(tbs, CRLDP, point(primitive(0x81, Uint8Array.of(1, 6)))),
  },
  {
    lint: "crl_distribution_points",
    how: "two addresses",
    edit: (tbs) => setValue(tbs, CRLDP, point(fullName(uri("http://va/1"), uri("http://va/2")))),
  },
  {
    lint: "crl_distribution_points_promised",
    how: "another shard",
    edit: (tbs) => setValue(tbs, CRLDP, point(fullName(uri("http://va/2.crl")))),
  },
  { lint: "crl_distribution_points_promised", how: "missing", edit: (tbs) => remove(tbs, CRLDP) },
  { lint: "authority_information_access", how: "critical", edit: (tbs) => makeCritical(tbs, AIA) },
  {
    lint: "authority_information_access",
    how: "https",
    edit: (tbs) => setValue(tbs, AIA, access("1.3.6.1.5.5.7.48.1", uri("https://va/ocsp"))),
  },
  {
    lint: "authority_information_access_promised",
    how: "another address",
    edit: (tbs) => setValue(tbs, AIA, access("1.3.6.1.5.5.7.48.1", uri("http://va/ocsp"))),
  },
  {
    lint: "extensions_unique",
    how: "the key usage twice",
    edit: (tbs) => extensionsOf(tbs).push(extension(tbs, KU)),
  },
  { lint: "extensions_of_profile", how: "one less", edit: (tbs) => remove(tbs, EKU) },
  { lint: "extensions_of_profile", how: "one more", edit: (tbs) => add(tbs, "1.2.3", NULL) },
  {
    lint: "unique_identifiers",
    how: "a subject's",
    edit: (tbs) => void tbs.children.splice(EXTENSIONS, 0, primitive(0x82, Uint8Array.of(0, 1))),
  },
  {
    lint: "name_constraints",
    how: "a leaf's",
    edit: (tbs) => add(tbs, "2.5.29.30", constructed(0x30)),
  },
  {
    lint: "certificate_policies",
    how: "twice the same",
    of: "issuing",
    edit: (tbs) => setValue(tbs, POLICIES, policies("2.5.29.32.0", "2.5.29.32.0")),
  },
  {
    lint: "certificate_policies",
    how: "critical",
    of: "issuing",
    edit: (tbs) => makeCritical(tbs, POLICIES),
  },
  {
    lint: "certificate_policies",
    how: "not the profile's",
    edit: (tbs) => add(tbs, POLICIES, policies("1.2.3")),
  },
  {
    lint: "certificate_policies",
    how: "with qualifiers",
    of: "issuing",
    edit: (tbs) =>
      setValue(
        tbs,
        POLICIES,
        constructed(0x30, constructed(0x30, decode(oid("2.5.29.32.0")), constructed(0x30))),
      ),
  },
  {
    lint: "freshest_crl",
    how: "present",
    edit: (tbs) => add(tbs, "2.5.29.46", point(fullName(uri("http://va/delta.crl")))),
  },
  {
    lint: "no_revocation_available",
    how: "beside OCSP and a list",
    edit: (tbs) => add(tbs, "2.5.29.56", NULL),
  },
  {
    lint: "public_key",
    how: "a point off its curve",
    edit: (tbs) => (descend(tbs, SPKI, 1).content = flipLast(descend(tbs, SPKI, 1).content)),
  },
  {
    lint: "public_key",
    how: "an algorithm that we do not know",
    edit: (tbs) => (descend(tbs, SPKI, 0).children[0] = decode(oid("1.3.101.112"))),
  },
  {
    lint: "public_key_promised",
    how: "another",
    edit: (tbs) => (tbs.children[SPKI] = decode(ecKey().spki)),
  },
  {
    lint: "der_canonical",
    how: "an RDN in another order",
    edit: (tbs) =>
      descend(tbs, SUBJECT).children.push(
        rdn(attribute("2.5.4.11", 0x0c, "b"), attribute(CN, 0x0c, "a")),
      ),
  },
  {
    lint: "der_canonical",
    how: "a padded integer inside an extension",
    edit: (tbs) => add(tbs, "1.2.3", primitive(0x02, Uint8Array.of(0, 1))),
  },
];
