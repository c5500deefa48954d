import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { type Certificate, eventually, Service } from "../support/service.ts";

/** Debian's (`apt-get install firefox-esr`), or another one's path. */
const FIREFOX = process.env["FIREFOX"] ?? "firefox-esr";

/** Firefox takes a certificate that fits without asking, where its settings say so: a program cannot press its dialog. */
const PREFERENCES = `user_pref("security.default_personal_cert", "Select Automatically");
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
`;

/** Opens an address in a Firefox of its own, and ends it once `isDone`. */
async function browse(profile: string, url: string, isDone: () => Promise<boolean>): Promise<void> {
  const browser = spawn(FIREFOX, ["--headless", "--no-remote", "--profile", profile, url], {
    env: { ...process.env, HOME: profile },
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve, reject) => {
    browser.on("error", reject);
    browser.on("close", () => resolve());
  });
  try {
    await Promise.race([eventually(isDone, (done) => done, 120_000), ended]);
  } finally {
    browser.kill("SIGKILL");
    await ended;
  }
}

interface Profile {
  readonly folder: string;
  /** A tool of NSS at its store. */
  readonly nss: (tool: "certutil" | "pk12util", ...args: readonly string[]) => void;
}

/** With nothing in its store but the root of the demonstration's server certificates: in production browsers know theirs. */
function makeProfile(root: string): Profile {
  const folder = mkdtempSync(path.join(tmpdir(), "suido-firefox-"));
  const nss: Profile["nss"] = (tool, ...args) => {
    execFileSync(tool, [...args, "-d", `sql:${folder}`], { stdio: "pipe" });
  };
  writeFileSync(path.join(folder, "user.js"), PREFERENCES);
  writeFileSync(path.join(folder, "root.pem"), root);
  nss("certutil", "-N", "--empty-password");
  nss("certutil", "-A", "-n", "root", "-t", "C,,", "-i", path.join(folder, "root.pem"));
  return { folder, nss };
}

/** Whether Firefox shows the certificate of a bundle at a check, once NSS has imported it. */
async function proves(service: Service, bundle: "modern" | "compatible"): Promise<boolean> {
  const { accountId, deviceId } = await service.world("linux");
  const body = { accountId, deviceId, bundle };
  const made = await service.must<Certificate>("POST", "/v1/certificates", { body });
  const { folder, nss } = makeProfile(made.chain.at(-1) ?? "");
  try {
    const file = path.join(folder, "device.p12");
    writeFileSync(file, Buffer.from(made.pkcs12?.data ?? "", "base64"));
    nss("pk12util", "-i", file, "-W", made.pkcs12?.password ?? "");
    const target = `/v1/certificates/${made.serialNumber}`;
    const { url } = await service.must<{ readonly url: string }>("POST", `${target}/checks`);
    const isProven = async (): Promise<boolean> =>
      "provenAt" in (await service.must<object>("GET", target));
    await browse(folder, url, isProven);
    return await isProven();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A real Firefox, its own store and our bundles, each style: it shows that very certificate in a handshake. */
export async function firefox(): Promise<readonly { readonly faults: readonly string[] }[]> {
  const service = await Service.open({ SUIDO_LOG_LEVEL: "warn" });
  try {
    const faults: string[] = [];
    for (const bundle of ["modern", "compatible"] as const)
      if (!(await proves(service, bundle))) faults.push(`Firefox does not show a ${bundle} bundle`);
    console.log(JSON.stringify({ firefox: FIREFOX, faults }));
    return [{ faults }];
  } finally {
    await service.dispose();
  }
}
