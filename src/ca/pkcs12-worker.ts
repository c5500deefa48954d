import { parentPort } from "node:worker_threads";
import { buildPkcs12, type Pkcs12Input } from "../pki/pkcs12.ts";
import { nodePkcs12Crypto } from "./pkcs12-crypto.ts";

/** What `bundle.ts` sends, and what comes back under the same id. */
export interface BundleJob {
  readonly id: number;
  readonly input: Pkcs12Input;
}

export type BundleResult =
  | { readonly id: number; readonly bundle: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly error: Error };

async function run({ id, input }: BundleJob): Promise<BundleResult> {
  try {
    const bundle = new Uint8Array(await buildPkcs12(input, nodePkcs12Crypto));
    return { id, bundle };
  } catch (error) {
    return { id, error: error instanceof Error ? error : new Error(String(error)) };
  } finally {
    input.key.fill(0); // this thread's own copy
  }
}

async function answer(job: BundleJob): Promise<void> {
  const result = await run(job);
  parentPort?.postMessage(result, "bundle" in result ? [result.bundle.buffer] : []);
}

parentPort?.on("message", (job: BundleJob) => void answer(job));
