import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { CaConfigError, loadCaConfig } from "../../../src/config/ca-config.ts";

describe("loadCaConfig", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "suido-ca-config-"));
    cpSync("ca-config", folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const edit = (file: string, from: string | RegExp, to: string): void => {
    const before = readFileSync(join(folder, file), "utf8");
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    writeFileSync(join(folder, file), after);
  };

  it("reads our own configuration", () => {
    const { hierarchy, profiles } = loadCaConfig("ca-config");
    expect(hierarchy.issuing).toMatchObject({ name: "issuing", key: "P-256" });
    expect([...profiles.keys()].toSorted()).toEqual([
      "device-client",
      "emergency",
      "issuing",
      "ocsp",
      "root",
      "root-ocsp",
      "server",
    ]);
    expect(profiles.get("device-client")?.validity).toEqual({
      kind: "months",
      count: 13,
      endOfDay: true,
    });
  });

  it("knows the profile of sample data only where it is asked for", () => {
    const { profiles } = loadCaConfig("ca-config", { withSample: true });
    expect(profiles.get("device-sample")?.subjectAlternativeName).toBe("device");
    expect(loadCaConfig("ca-config").profiles.has("device-sample")).toBe(false);
  });

  it.for([
    {
      name: "an unknown field",
      file: "profiles/server.yaml",
      from: "ocspNoCheck",
      to: "ocspNochek",
    },
    {
      name: "an unknown key kind",
      file: "profiles/server.yaml",
      from: "keys: [P-256]",
      to: "keys: [P-224]",
    },
    {
      name: "a profile under another's file name",
      file: "profiles/ocsp.yaml",
      from: "name: ocsp",
      to: "name: osp",
    },
    {
      name: "an authority without its profile",
      file: "hierarchy.yaml",
      from: "profile: root",
      to: "profile: rot",
    },
    { name: "a missing organization", file: "hierarchy.yaml", from: /^organization.*$/m, to: "" },
  ])("refuses $name", ({ file, from, to }) => {
    edit(file, from, to);
    expect(() => loadCaConfig(folder)).toThrow(CaConfigError);
  });

  it("refuses a configuration that lacks a profile the program needs", () => {
    rmSync(join(folder, "profiles/root-ocsp.yaml"));
    expect(() => loadCaConfig(folder)).toThrow(/root-ocsp/);
  });

  it("refuses a profile that contradicts the RFCs", () => {
    edit("profiles/device-client.yaml", "ca: false", "ca: true");
    expect(() => loadCaConfig(folder)).toThrow(
      expect.objectContaining({ code: "invalid-profile" }),
    );
  });
});
