import { expect, it } from "vitest";
import { createProfile, profileHash, type ProfileFields } from "../../../src/pki/profile.ts";
import { digest, PROFILE_FIELDS } from "../../support/certificates.ts";

const { device, issuing, ocsp } = PROFILE_FIELDS;

it.for(Object.values(PROFILE_FIELDS))(
  "takes the profile $name and freezes it to its depth",
  (fields: ProfileFields) => {
    const profile = createProfile(fields);
    expect(profile).toEqual(fields);
    expect(Object.isFrozen(profile)).toBe(true);
    expect(
      Object.values(profile).filter(
        (value) => typeof value === "object" && !Object.isFrozen(value),
      ),
    ).toEqual([]);
  },
);

it("does not see what the caller changes afterwards", () => {
  const keys: ("P-256" | "P-384")[] = ["P-256"];
  const profile = createProfile({ ...device, keys });
  keys.push("P-384");
  expect(profile.keys).toEqual(["P-256"]);
});

it.for<{ name: string; fields: ProfileFields }>([
  { name: "a name in capitals", fields: { ...device, name: "Device" } },
  { name: "no key usage", fields: { ...device, keyUsage: [] } },
  {
    name: "a key usage twice",
    fields: { ...device, keyUsage: ["digitalSignature", "digitalSignature"] },
  },
  {
    name: "a purpose twice",
    fields: { ...device, extendedKeyUsage: ["clientAuth", "clientAuth"] },
  },
  { name: "a policy that is no OID", fields: { ...issuing, policies: ["any"] } },
  { name: "a policy twice", fields: { ...issuing, policies: ["1.2.3", "1.2.3"] } },
  {
    name: "an access method twice",
    fields: { ...device, authorityInformationAccess: ["ocsp", "ocsp"] },
  },
  { name: "no keys", fields: { ...device, keys: [] } },
  { name: "no validity", fields: { ...device, validity: { kind: "days", count: 0 } } },
  { name: "half a day", fields: { ...device, validity: { kind: "days", count: 0.5 } } },
  { name: "no ceiling", fields: { ...device, ceilingPerHour: 0 } },
  { name: "a CA without keyCertSign", fields: { ...issuing, keyUsage: ["cRLSign"] } },
  { name: "a CA without cRLSign", fields: { ...issuing, keyUsage: ["keyCertSign"] } },
  { name: "keyCertSign without CA", fields: { ...device, keyUsage: ["keyCertSign"] } },
  {
    name: "a path length without CA",
    fields: { ...device, basicConstraints: { ca: false, pathLength: 0 } },
  },
  {
    name: "a negative path length",
    fields: { ...issuing, basicConstraints: { ca: true, pathLength: -1 } },
  },
  {
    name: "an EC key that enciphers",
    fields: { ...device, keyUsage: ["digitalSignature", "keyEncipherment"] },
  },
  {
    name: "encipherOnly alone",
    fields: { ...device, keyUsage: ["digitalSignature", "encipherOnly"] },
  },
  { name: "an end entity without a purpose", fields: { ...device, extendedKeyUsage: [] } },
  {
    name: "a responder that is a client too",
    fields: { ...ocsp, extendedKeyUsage: ["OCSPSigning", "clientAuth"] },
  },
  { name: "a responder that is checked", fields: { ...ocsp, ocspNoCheck: false } },
  { name: "nocheck in a device's", fields: { ...device, ocspNoCheck: true } },
  { name: "nocheck with a list", fields: { ...ocsp, crlDistributionPoint: "issuer" } },
  { name: "a device on no list", fields: { ...device, crlDistributionPoint: "none" } },
  { name: "a CA on a shard", fields: { ...issuing, crlDistributionPoint: "shard" } },
  {
    name: "a device's name in a responder's",
    fields: { ...ocsp, subjectAlternativeName: "device" },
  },
  { name: "host names in a device's", fields: { ...device, subjectAlternativeName: "dns" } },
  { name: "host names in a CA's", fields: { ...issuing, subjectAlternativeName: "dns" } },
  { name: "anyPolicy in a device's", fields: { ...device, policies: ["2.5.29.32.0"] } },
])("refuses $name", ({ fields }) => {
  expect(() => createProfile(fields)).toThrow(expect.objectContaining({ code: "invalid-profile" }));
});

it("says everything that is wrong at once", () => {
  expect(() => createProfile({ ...device, keys: [], ceilingPerHour: 0 })).toThrow(/keys.*ceiling/);
});

it("hashes what it says, not how it is written", () => {
  const hash = profileHash(createProfile(device), digest);
  const reversed = Object.fromEntries(
    Object.entries(device).toReversed(),
  ) as unknown as ProfileFields;
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(profileHash(createProfile(reversed), digest)).toBe(hash);
  expect(profileHash(createProfile({ ...device, ceilingPerHour: 99 }), digest)).not.toBe(hash);
});
