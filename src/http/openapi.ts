import { fastifySwagger } from "@fastify/swagger";
import type { FastifyInstance } from "fastify";

import { ApiKey } from "./schemas/api-keys.ts";
import { EnrolmentFigures } from "./schemas/figures.ts";
import { Authorization } from "./schemas/authorize.ts";
import * as certificates from "./schemas/certificates.ts";
import { ProblemSchema } from "./schemas/common.ts";
import * as parties from "./schemas/parties.ts";
import { RenewalBanner, RenewalTime } from "./schemas/renewals.ts";
import * as registry from "./schemas/registry.ts";
import * as factors from "./schemas/factors.ts";
import * as enrolments from "./schemas/enrolments.ts";
import * as batches from "./schemas/enrolment-batches.ts";
import * as mails from "./schemas/mails.ts";
import * as bulk from "./schemas/bulk.ts";
import * as stages from "./schemas/stages.ts";

const DESCRIPTION = `A private PKI and client-certificate lifecycle service for pharmacies.

Send \`Authorization: Bearer\` with an API key, which \`suido api-key create\` makes. A key that is bound to a corporation
sees that corporation only: everything of others is not found. Errors are problem documents (RFC 9457), each with a page
at its \`type\`. Unknown members and parameters are refused. A POST that creates takes an \`Idempotency-Key\`. Lists come in
pages: ask again with \`after\` until \`nextCursor\` is absent. Times are RFC 3339 in UTC; serial numbers are lower-case
hexadecimal. Status for relying parties (OCSP, CRL, CA certificates) is served by the validation authority's own address.`;

const TAGS = [
  { name: "Corporations", description: "Tenants (法人)." },
  { name: "Pharmacies", description: "Shops of a corporation (薬局)." },
  { name: "Accounts", description: "People." },
  { name: "Memberships", description: "Who works where, from when to when." },
  { name: "Devices", description: "Machines of a pharmacy (端末)." },
  { name: "Enrolments", description: "Asking people to put a certificate on a device." },
  { name: "Certificates", description: "Issue, renew, reissue, revoke, look up." },
  { name: "Status", description: "What products ask." },
  { name: "Relying parties", description: "Proxies and products, and what each enforces." },
  { name: "Mails", description: "How far each has come, and which come back." },
  { name: "Tasks", description: "What somebody has to look after, because a mail cannot." },
  { name: "Stages", description: "How strictly products demand certificates, and where." },
  { name: "API keys", description: "Keys of programs." },
  { name: "Operations", description: "Health and figures." },
];

/** The schemas that stand among the document's components, by their names. */
export const COMPONENTS = [
  ProblemSchema,
  registry.Corporation,
  registry.Pharmacy,
  registry.Account,
  registry.Membership,
  registry.Device,
  certificates.Certificate,
  certificates.IssuedCertificate,
  certificates.ChangedCertificate,
  certificates.CertificateState,
  certificates.Check,
  RenewalTime,
  EnrolmentFigures,
  RenewalBanner,
  certificates.Lineage,
  Authorization,
  ApiKey,
  parties.RelyingParty,
  parties.Acknowledged,
  parties.Propagation,
  stages.Stage,
  stages.StageDetail,
  enrolments.Enrolment,
  enrolments.MadeEnrolment,
  enrolments.MadeEnrolments,
  factors.SecondFactorList,
  factors.FactorInvitation,
  mails.LedgerMail,
  mails.LedgerMails,
  mails.ReturnedMail,
  mails.Task,
  bulk.BulkIssue,
  bulk.BulkIssueLine,
  bulk.BulkBundle,
  batches.BatchPreview,
  batches.EnrolmentBatch,
  batches.EnrolmentBatchDetail,
  batches.EnrolmentBatchLine,
];

/** `/openapi.json`, from the schemas of the routes that are added after this. */
export async function addOpenApi(
  app: FastifyInstance,
  { url, version }: { readonly url: string; readonly version: string },
): Promise<void> {
  for (const schema of COMPONENTS) app.addSchema(schema);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Suido", version, description: DESCRIPTION, license: { name: "Apache-2.0" } },
      servers: [{ url }],
      tags: TAGS,
      security: [{ bearer: [] }],
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "An API key." },
        },
      },
    },
    refResolver: {
      buildLocalReference: ({ $id }) => {
        if (typeof $id !== "string") throw new Error("a shared schema has no $id");
        return $id;
      },
    },
  });
  app.get("/openapi.json", { schema: { hide: true } }, async (_request, reply) => {
    reply.header("cache-control", "no-cache");
    return app.swagger();
  });
}
