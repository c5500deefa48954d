import type { Registry } from "prom-client";
import { readAuthorities } from "../ca/authorities.ts";
import { registerSignerMetrics } from "../ca/signer-metrics.ts";
import { createAppServer } from "../http/api-app.ts";
import { createHttpMetrics } from "../http/http-metrics.ts";
import { registerGuessMetrics } from "../lifecycle/wrong-guesses.ts";
import type { Readiness } from "../http/routes-operations.ts";
import { toHex } from "../pki/bytes.ts";
import { nameText } from "../pki/name.ts";
import type { Database } from "../storage/database.ts";
import type { Authorizer } from "../va/authorizer.ts";
import type { Va } from "../va/va.ts";
import type { AuthorityFacts } from "../web/console-page.ts";
import { openAppleProfiles } from "./apple-profiles.ts";
import { listenOn } from "./door.ts";
import type { Opening } from "./opening.ts";
import { openRooms } from "./rooms.ts";
import { openSignIn } from "./sign-in.ts";
import type { System } from "./system.ts";
import { version } from "./version.ts";

/** What the VA of this process publishes of its authorities. */
function publishedBy(va: Va, { digest }: Pick<System, "digest">): readonly AuthorityFacts[] {
  const full = new Map(
    va.repository
      .lists()
      .filter(({ scope }) => scope === "full")
      .map((list) => [list.issuerId, list]),
  );
  return va.repository.issuers().map(({ id, kind, subject, certificate, notAfter }) => {
    const fingerprint = toHex(digest("sha256", certificate));
    const facts: AuthorityFacts = { id, kind, name: nameText(subject), fingerprint, notAfter };
    const list = full.get(id);
    if (list === undefined) return facts;
    const { number, thisUpdate, nextUpdate, entryCount: entries } = list;
    return Object.assign(facts, {
      list: { number: number.toString(), thisUpdate, nextUpdate, entries },
    });
  });
}

/** The same, where the VA is another process's: what that one is to publish. */
async function recordedIn(
  database: Database,
  { digest }: Pick<System, "digest">,
): Promise<readonly AuthorityFacts[]> {
  const authorities = await readAuthorities(database);
  return authorities.map(({ id, kind, subject, certificate, notAfter, list }) => {
    const fingerprint = toHex(digest("sha256", certificate));
    const facts: AuthorityFacts = { id, kind, name: nameText(subject), fingerprint, notAfter };
    return list === undefined ? facts : Object.assign(facts, { list });
  });
}

export interface AppRoleDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly va: Va | undefined;
  readonly authorizer: Authorizer;
  readonly metrics: Registry;
  readonly readiness: () => Promise<Readiness>;
}

/** The rooms behind the API, and the app's listener. */
export async function openAppRole(opening: Opening, deps: AppRoleDeps): Promise<void> {
  const { config, system, log, undoing, foundation } = opening;
  const { authorizer, database, va, metrics, readiness } = deps;
  registerSignerMetrics(metrics, foundation.signer);
  const appleProfiles = await openAppleProfiles(opening);
  const rooms = openRooms(opening, database);
  registerGuessMetrics(metrics, rooms.guesses);
  const app = await createAppServer({
    checkUrl: config.checkUrl,
    batchLines: config.batchLines,
    appleProfiles,
    signIn: openSignIn(opening, { database, revocation: rooms.revocation }),
    ...rooms,
    ...system,
    log,
    authenticate: (presented) => rooms.apiKeys.authenticate(presented),
    authorizer,
    metrics,
    counters: createHttpMetrics(metrics),
    version,
    urls: { app: config.app.url, va: config.va.url, mtls: config.mtls.url },
    timeZone: config.timeZone,
    site: opening.site,
    readiness,
    authorities: async () =>
      va === undefined ? recordedIn(database, system) : publishedBy(va, system),
  });
  undoing.add(() => app.close());
  await listenOn(app, config.app, "SUIDO_APP_LISTEN");
}
