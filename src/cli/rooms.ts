import { type Acknowledge, createAcknowledge } from "../ca/acknowledgement.ts";
import { type BulkIssues, createBulkIssues } from "../ca/bulk-issue.ts";
import { type Bundler, createBundler } from "../ca/bundle.ts";
import { type Certificates, createCertificates } from "../ca/certificates.ts";
import { createDeviceStatus, type DeviceStatus } from "../ca/device-status.ts";
import { createIssuance, type Issuance } from "../ca/issuance.ts";
import { createChainOf } from "../ca/issuer-chain.ts";
import { createPropagate, type Propagate } from "../ca/propagation.ts";
import { createRevocation, type Revocation } from "../ca/revocation.ts";
import { createSuccessorOf, type SuccessorOf } from "../ca/successor.ts";
import { loadCaConfig } from "../config/ca-config.ts";
import { createEnrolmentBatches, type EnrolmentBatches } from "../lifecycle/enrolment-batches.ts";
import { createEnrolmentSheets, type EnrolmentSheets } from "../lifecycle/enrolment-sheets.ts";
import { type Checks, createChecks } from "../lifecycle/checks.ts";
import { type CountEnrolments, createCountEnrolments } from "../lifecycle/enrolment-figures.ts";
import { createEnrolmentVisits, type EnrolmentVisits } from "../lifecycle/enrolment-visits.ts";
import { createNewMachines, type NewMachines } from "../lifecycle/new-machines.ts";
import { createNoteStep, type NoteStep } from "../lifecycle/enrolment-steps.ts";
import { createRenewalStart, type RenewalStart } from "../lifecycle/renewal-start.ts";
import { createScriptSecrets, type ScriptSecrets } from "../lifecycle/script-secrets.ts";
import { type CertifyScript, createCertifyScript } from "../lifecycle/scripted-way.ts";
import { createWays, type Ways, type WaysDeps } from "../lifecycle/ways.ts";
import { createEnrolments, type Enrolments } from "../lifecycle/enrolments.ts";
import { createRenewalTimes, type RenewalTimes } from "../lifecycle/renewal-times.ts";
import { createMailLedger, type MailLedger } from "../lifecycle/mail-ledger.ts";
import { createTakeReport, type TakeReport } from "../lifecycle/returned-mails.ts";
import { createTasks, type Tasks } from "../lifecycle/tasks.ts";
import type { WrongGuesses } from "../lifecycle/wrong-guesses.ts";
import { type Accounts, createAccounts } from "../registry/accounts.ts";
import { type Corporations, createCorporations } from "../registry/corporations.ts";
import { createDevices, type Devices } from "../registry/devices.ts";
import { createMemberships, type Memberships } from "../registry/memberships.ts";
import { createPharmacies, type Pharmacies } from "../registry/pharmacies.ts";
import { createRelyingParties, type RelyingParties } from "../registry/relying-parties.ts";
import { createStages, type Stages } from "../registry/stages.ts";
import { type ApiKeys, createApiKeys } from "../staff/api-keys.ts";
import type { Database } from "../storage/database.ts";
import { openPrisma } from "../storage/prisma.ts";
import { CA_CONFIG, knownProfiles } from "./foundation.ts";
import { openGuesses } from "./guesses.ts";
import type { Opening } from "./opening.ts";
import { openPeoplesRooms, type PeoplesRooms } from "./people.ts";

/** The rooms that the app calls. */
export interface Rooms extends PeoplesRooms {
  readonly corporations: Corporations;
  readonly pharmacies: Pharmacies;
  readonly accounts: Accounts;
  readonly memberships: Memberships;
  readonly devices: Devices;
  readonly certificates: Certificates;
  readonly issuance: Issuance;
  readonly revocation: Revocation;
  readonly deviceStatus: DeviceStatus;
  readonly successorOf: SuccessorOf;
  readonly checks: Checks;
  readonly renewalTimes: RenewalTimes;
  readonly mailLedger: MailLedger;
  readonly takeReport: TakeReport;
  readonly tasks: Tasks;
  readonly enrolments: Enrolments;
  readonly enrolmentBatches: EnrolmentBatches;
  readonly enrolmentSheets: EnrolmentSheets;
  readonly enrolmentVisits: EnrolmentVisits;
  readonly ways: Ways;
  readonly newMachines: NewMachines;
  readonly renewalStart: RenewalStart;
  readonly scriptSecrets: ScriptSecrets;
  readonly certifyScript: CertifyScript;
  readonly apiKeys: ApiKeys;
  readonly relyingParties: RelyingParties;
  readonly acknowledge: Acknowledge;
  readonly propagate: Propagate;
  readonly stages: Stages;
  readonly bulkIssues: BulkIssues;
  readonly guesses: WrongGuesses;
  readonly noteStep: NoteStep;
  readonly countEnrolments: CountEnrolments;
}

/** Connections of the registry's ORM. */
const PRISMA_CONNECTIONS = 5;

/** What people do who put a certificate on a device themselves; they share one count of wrong guesses. */
function openWays(
  opening: Opening,
  parts: Pick<WaysDeps, "database" | "issuance" | "revocation" | "checks">,
): Pick<
  Rooms,
  | "enrolmentVisits"
  | "renewalStart"
  | "scriptSecrets"
  | "certifyScript"
  | "ways"
  | "newMachines"
  | "guesses"
  | "noteStep"
  | "countEnrolments"
> {
  const { config, system } = opening;
  const { identifyByMail, moreDevices, placesPerDevice, app } = config;
  const guesses = openGuesses(opening, parts.database);
  const limits = { moreDevices, placesPerDevice };
  const own = { ...system, ...parts, ...limits, guesses, identifyByMail, appUrl: app.url };
  const ways = createWays(own);
  const noteStep = createNoteStep(own);
  const scriptSecrets = createScriptSecrets(own);
  return {
    enrolmentVisits: createEnrolmentVisits(own),
    renewalStart: createRenewalStart(own),
    ways,
    newMachines: createNewMachines(own),
    countEnrolments: createCountEnrolments(own),
    noteStep,
    scriptSecrets,
    certifyScript: createCertifyScript({ scriptSecrets, ways, noteStep }),
    guesses,
  };
}

/** Opens the rooms over the foundation; the database is suido_app's. */
export function openRooms(opening: Opening, database: Database): Rooms {
  const { config, system, log, undoing, foundation } = opening;
  const { signer } = foundation;
  const { app, placesPerDevice } = config;
  const { profiles } = loadCaConfig(CA_CONFIG, knownProfiles(config));
  const store = openPrisma({
    url: foundation.databaseUrl,
    max: PRISMA_CONNECTIONS,
    onError: (error) => log.warn({ err: error }, "a registry connection broke"),
  });
  undoing.add(() => store.close());
  const bundler: Bundler = createBundler();
  undoing.add(() => bundler.close());
  const registry = { ...system, store };
  const chainOf = createChainOf(database);
  const certificates = createCertificates({ ...system, database, chainOf });
  const issuance = createIssuance({
    ...system,
    database,
    signer,
    certificates,
    chainOf,
    bundler,
    profiles,
    trustDomain: config.trustDomain,
    timeZone: config.timeZone,
  });
  const revocation = createRevocation({ ...system, database, signer, certificates });
  const checks = createChecks({ ...system, database, checkUrl: config.checkUrl });
  return {
    corporations: createCorporations(registry),
    pharmacies: createPharmacies(registry),
    accounts: createAccounts(registry),
    memberships: createMemberships(registry),
    devices: createDevices(registry),
    certificates,
    issuance,
    revocation,
    deviceStatus: createDeviceStatus({ ...system, database, chainOf }),
    successorOf: createSuccessorOf({ ...system, database }),
    checks,
    mailLedger: createMailLedger({ database }),
    takeReport: createTakeReport({ ...system, database }),
    tasks: createTasks({ ...system, database }),
    renewalTimes: createRenewalTimes({ ...system, database, timeZone: config.timeZone }),
    enrolments: createEnrolments({ ...registry, placesPerDevice, appUrl: app.url }),
    ...openWays(opening, { database, issuance, revocation, checks }),
    ...openPeoplesRooms(opening, database),
    apiKeys: createApiKeys({ ...system, database }),
    relyingParties: createRelyingParties({ ...system, database }),
    acknowledge: createAcknowledge({ ...system, database }),
    propagate: createPropagate({ ...system, database }),
    stages: createStages(registry),
    enrolmentBatches: createEnrolmentBatches({ ...registry, database, placesPerDevice }),
    enrolmentSheets: createEnrolmentSheets({ ...system, database, appUrl: app.url }),
    bulkIssues: createBulkIssues({ ...system, store, database, profiles, issuance }),
  };
}
