import path from "node:path";

import type { Registry } from "prom-client";
import { createSequencer } from "../audit/sequencer.ts";
import { forgetBulkIssues } from "../ca/bulk-issue.ts";
import { registerBulkMetrics } from "../ca/bulk-metrics.ts";
import { workOnBulkIssues } from "../ca/bulk-issue-work.ts";
import { createSupersede } from "../ca/supersession.ts";
import { monthFormat } from "../ca/reservation-rules.ts";
import { loadCaConfig } from "../config/ca-config.ts";
import { listsDue, publishLists } from "../ca/list-publishing.ts";
import { createMailDelivery } from "../delivery/mail-delivery.ts";
import { forgetMails } from "../delivery/mail-rows.ts";
import { createMailer, parseMailbox } from "../delivery/mailer.ts";
import { registerMailMetrics } from "../delivery/metrics.ts";
import { prepareQueue, type QueueBackend, queueBackend } from "../jobs/backend.ts";
import { createJobs, type Jobs } from "../jobs/jobs.ts";
import { publishDueLists } from "../jobs/lists.ts";
import type { Work } from "../jobs/runs.ts";
import { createProbe, type Probe } from "../jobs/probe.ts";
import { deskMails } from "../lifecycle/desk-mails.ts";
import { createExpiryWatch, type Ending } from "../lifecycle/expiry-watch.ts";
import { operatorMails, type OperatorMail } from "../lifecycle/operator-mail.ts";
import { forgetChecks } from "../lifecycle/checks.ts";
import {
  type EnrolmentExpiryDeps,
  expireEnrolments,
  registerEnrolmentMetrics,
} from "../lifecycle/enrolment-expiry.ts";
import { forgetEnrolments } from "../lifecycle/enrolment-forgetting.ts";
import { createMeasureEnrolments } from "../lifecycle/enrolment-measures.ts";
import { codeMails } from "../lifecycle/code-mail.ts";
import { enrolmentMails, requestMails } from "../lifecycle/enrolment-mail.ts";
import { forgetEmergencyVisits, retireStandIns } from "../lifecycle/emergency/emergencies.ts";
import { emergencyCodeMails, emergencyMails } from "../lifecycle/emergency/emergency-mail.ts";
import { factorChangeMails, factorLinkMails } from "../lifecycle/factors/factor-mail.ts";
import { forgetFactorVisits } from "../lifecycle/factors/factor-visits.ts";
import { createPartyWatch, forgetAcknowledgements } from "../lifecycle/party-watch.ts";
import { probedCertificate } from "../lifecycle/probed-certificate.ts";
import { createSupersedeOld } from "../lifecycle/renewal-supersede.ts";
import { proofMails } from "../lifecycle/proof-mail.ts";
import { reminderMails } from "../lifecycle/reminder-mails.ts";
import { createReminders } from "../lifecycle/reminders.ts";
import { forgetOldKeys } from "../registry/idempotency.ts";
import { forgetPersonSessions } from "../staff/person-sessions.ts";
import { connectionConfig } from "../storage/connection.ts";
import type { Database, Role } from "../storage/database.ts";
import { listen } from "../storage/listen.ts";
import { CA_CONFIG, knownProfiles } from "./foundation.ts";
import { createListCheck } from "./list-check.ts";
import type { MtlsRole } from "./mtls-role.ts";
import { type Opening, openPool } from "./opening.ts";
import { queueLog } from "./queue-log.ts";
import type { VaRole } from "./va-role.ts";
import { PUBLISH_CHANNEL } from "./wishes.ts";

/** Connections of the jobs' own statements. */
const WORKER_CONNECTIONS = 4;

/** Bulk issues have one for as long as a group takes, the others share one. */
const APP_CONNECTIONS = 2;

export interface DutiesDeps {
  /** Those of this process, whose certificates only they know. */
  readonly va: VaRole | undefined;
  readonly mtls: MtlsRole | undefined;
  readonly metrics: Registry;
}

/** Makes, checks and publishes the lists of one issuer. */
type Publish = (issuerId: string) => ReturnType<typeof publishLists>;

/** A publisher that never works on the same issuer twice at once: the slower one would find its lists outdated. */
function publisherOf({ system, foundation }: Opening, database: Database): Publish {
  const { databaseUrl, signer } = foundation;
  const beginCheck = createListCheck({ system, database, databaseUrl, gives: true });
  let last: Promise<unknown> = Promise.resolve();
  return (issuerId) => {
    const turn = last
      .catch(() => undefined)
      .then(() => publishLists(issuerId, { ...system, signer, database, beginCheck }));
    last = turn;
    return turn;
  };
}

/** Hears commands of this machine that want lists now. */
function hearWishes({ foundation, log, undoing }: Opening, publish: Publish): void {
  const hear = async (issuerId: string): Promise<void> => {
    try {
      await publish(issuerId);
    } catch (error) {
      log.error({ err: error, issuerId }, "lists not published");
    }
  };
  const listener = listen({
    url: foundation.databaseUrl,
    role: "suido_worker",
    channels: [PUBLISH_CHANNEL],
    onNotify: (_channel, issuerId) => void hear(issuerId),
    onConnect: () => undefined,
    onError: (error) => log.warn({ err: error }, "wishes of commands are not heard"),
  });
  undoing.add(() => listener.close());
}

/** What of Suido's own ends and the database does not know of. */
function endingsOf({ va, mtls }: Pick<DutiesDeps, "va" | "mtls">): readonly Ending[] {
  const server = mtls?.validity();
  const delegates = (va?.status().issuers ?? []).flatMap(({ id, delegateFrom, delegateUntil }) =>
    delegateFrom === undefined || delegateUntil === undefined
      ? []
      : [{ what: `delegate ${id}`, from: delegateFrom, until: delegateUntil }],
  );
  return [...delegates, ...(server === undefined ? [] : [{ what: "server", ...server }])];
}

function operatorOf({ config }: Opening): OperatorMail | undefined {
  if (config.operatorMail === undefined) return undefined;
  return { address: parseMailbox(config.operatorMail).address, language: "ja" };
}

interface Pools {
  /** As suido_app: what a job does in one corporation after the other. */
  readonly app: Database;
  /** As suido_worker. */
  readonly database: Database;
}

function mailDuties(
  opening: Opening,
  { app, database, metrics }: Pools & { readonly metrics: Registry },
) {
  const { config, site, system, log, undoing } = opening;
  const { timeZone } = config;
  const settings = { appUrl: config.app.url, mtlsUrl: config.mtls.url, timeZone, site };
  const mailer = createMailer({
    url: config.mailUrl,
    from: config.mailFrom,
    bounceDomain: config.mailBounceDomain,
    name: site.sender,
    outbox: path.join(config.dataDir, "outbox"),
    onError: (error) => log.warn({ err: error }, "the mail server's connection broke"),
  });
  undoing.add(() => mailer.close());
  const reminders = createReminders({
    ...system,
    database,
    timeZone,
    operator: operatorOf(opening),
  });
  const kinds = {
    ...reminderMails({ ...system, reminders, database: app, worker: database }, settings),
    operator: operatorMails(settings),
    enrolment: enrolmentMails({ ...system, database: app, worker: database }, settings),
    "enrolment-request": requestMails({ ...system, database: app, worker: database }, settings),
    "enrolment-code": codeMails({ ...system, database: app, worker: database }, settings),
    proven: proofMails(settings),
    "factor-link": factorLinkMails({ ...system, database: app, worker: database }, settings),
    "factor-change": factorChangeMails(settings),
    "emergency-code": emergencyCodeMails({ ...system, database: app, worker: database }, settings),
    emergency: emergencyMails(settings),
    ...deskMails(settings),
  };
  registerMailMetrics(metrics, { database, clock: system.clock });
  return { reminders, delivery: createMailDelivery({ ...system, database, mailer, kinds, log }) };
}

/** The queue, in PostgreSQL unless there is a Redis. */
async function openQueue({ config, log, undoing, foundation }: Opening): Promise<QueueBackend> {
  const connection = (role: Role): ReturnType<typeof connectionConfig> =>
    connectionConfig({ url: foundation.databaseUrl, role, applicationName: "suido-queue" });
  if (config.redisUrl === undefined) await prepareQueue(connection("suido_owner"));
  const backend = queueBackend(
    config.redisUrl === undefined
      ? { kind: "postgres", connection: connection("suido_worker") }
      : { kind: "redis", url: config.redisUrl },
    queueLog(log),
  );
  undoing.add(() => backend.close());
  return backend;
}

/** A stranger's findings are an operator's matter at once: relying parties see the same. */
async function probeAndTell(probe: Probe, log: Opening["log"]): Promise<void> {
  const found = Object.entries((await probe.look()) ?? {});
  for (const [what, findings] of found) {
    if (findings.length > 0)
      log.warn({ what, findings }, "a stranger does not get what certificates promise");
  }
}

/** Works on bulk issues as the app does on single ones: in each corporation's own transactions. */
function bulkWork(
  opening: Opening,
  { app, database: worker, metrics }: Pools & { readonly metrics: Registry },
): Work {
  const { config, foundation, log, system } = opening;
  registerBulkMetrics(metrics, worker);
  const { timeZone, trustDomain } = config;
  const deps = {
    ...system,
    database: app,
    worker,
    signer: foundation.signer,
    profiles: loadCaConfig(CA_CONFIG, knownProfiles(config)).profiles,
    trustDomain,
    timeZone,
    months: monthFormat(timeZone),
    log,
  };
  return (signal) => workOnBulkIssues(deps, signal);
}

/** Ends old certificates after their successors' proof. */
function superseding(
  { config, system }: Opening,
  { app, database, metrics }: Pools & { readonly metrics: Registry },
): Work {
  const supersede = createSupersede({ ...system, database: app });
  const { renewalOverlapDays: overlapDays } = config;
  return createSupersedeOld({ ...system, database, metrics, supersede, overlapDays });
}

/** Writes down what is over: enrolments, and machines that stood in for others. */
const endingEnrolments =
  (deps: EnrolmentExpiryDeps): Work =>
  async (signal) => {
    await expireEnrolments(deps, signal);
    return retireStandIns(deps);
  };

/** What nobody asks for any more. */
async function forgetOld(
  { config, system }: Opening,
  database: Database,
  signal: AbortSignal,
): Promise<void> {
  const now = system.clock();
  await forgetOldKeys(database, now);
  await forgetMails(database, now);
  await forgetAcknowledgements(database, now);
  await forgetBulkIssues(database, now);
  await forgetChecks(database, now);
  await forgetFactorVisits(database, now);
  await forgetEmergencyVisits(database, now);
  await forgetPersonSessions(database, now);
  const { keepEnrolmentsMs: keepMs, keepEvidenceMs: evidenceMs } = config;
  await forgetEnrolments({ ...system, database, keepMs, evidenceMs }, signal);
}

/** Writes down what is over, and counts what they have come to. */
function enrolmentWork(
  { system }: Opening,
  { app, database, metrics }: Pools & { readonly metrics: Registry },
): Work {
  registerEnrolmentMetrics(metrics, database);
  const measure = createMeasureEnrolments({ ...system, database, metrics });
  const end = endingEnrolments({ ...system, database: app, worker: database });
  return async (signal) => {
    await end(signal);
    await measure(signal);
  };
}

/** Opens the queue, and begins all that Suido does by itself. */
export async function takeUpDuties(
  opening: Opening,
  { va, mtls, metrics }: DutiesDeps,
): Promise<Jobs> {
  const { config, system, log, undoing } = opening;
  const { clock } = system;
  const database = openPool(opening, { role: "suido_worker", max: WORKER_CONNECTIONS });
  const app = openPool(opening, { role: "suido_app", max: APP_CONNECTIONS });
  const publish = publisherOf(opening, database);
  hearWishes(opening, publish);
  const { reminders, delivery } = mailDuties(opening, { app, database, metrics });
  const watch = createExpiryWatch({
    ...system,
    database,
    metrics,
    others: async () => endingsOf({ va, mtls }),
    operator: operatorOf(opening),
  });
  const partyWatch = createPartyWatch({
    ...system,
    database,
    metrics,
    log,
    operator: operatorOf(opening),
  });
  const probe = createProbe({
    ...system,
    metrics,
    subject: () => probedCertificate(database, clock()),
  });
  const sequencer = createSequencer({ database });
  const backend = await openQueue(opening);
  const jobs = createJobs({
    backend,
    work: {
      lists: () => publishDueLists({ due: () => listsDue(database, clock()), publish, log }),
      rotate: async () => mtls?.renewIfDue(),
      reminders: () => reminders.plan(),
      mail: (signal) => delivery.deliver(signal),
      audit: () => sequencer.run(),
      "expiry-watch": () => watch.look(),
      probe: () => probeAndTell(probe, log),
      parties: () => partyWatch.look(),
      bulk: bulkWork(opening, { app, database, metrics }),
      enrolments: enrolmentWork(opening, { app, database, metrics }),
      supersede: superseding(opening, { app, database, metrics }),
      forget: (signal) => forgetOld(opening, database, signal),
    },
    timeZone: config.timeZone,
    metrics,
    clock,
    log,
  });
  undoing.add(() => jobs.close());
  jobs.start();
  return jobs;
}
