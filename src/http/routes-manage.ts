import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { CaError } from "../ca/errors.ts";
import type { Deputies } from "../lifecycle/deputies.ts";
import type { Desk } from "../lifecycle/desk.ts";
import type { DeviceHolds } from "../lifecycle/device-holds.ts";
import { NotFoundError } from "../registry/errors.ts";
import type { Person } from "../staff/person-sessions.ts";
import {
  choosePharmacyPage,
  MANAGE_NEWS,
  managePage,
  type ManageNews,
} from "../web/manage-page.ts";
import type { Pages } from "./pages.ts";
import { createPersonSession, type PersonSession } from "./person-session.ts";
import type { PortalPages } from "./portal-pages.ts";
import type { SignIn } from "./routes-sign-in.ts";
import * as schemas from "./schemas/manage.ts";
import { addWaySession } from "./way-session.ts";

export interface ManageRoutesOptions {
  readonly signIn: Pick<SignIn, "personSessions">;
  readonly desk: Desk;
  readonly deputies: Deputies;
  readonly deviceHolds: DeviceHolds;
  readonly pages: PortalPages;
  /** What any page can say. */
  readonly everywhere: Pick<Pages, "notFound">;
  readonly appUrl: string;
}

/** What a button came to, and at which pharmacy. */
interface Came {
  readonly pharmacyId: string;
  readonly came: ManageNews;
}

type Act = (person: Person, id: string) => Promise<Came>;

const idIn = ({ params }: FastifyRequest): string => (params as { readonly id: string }).id;

const newsIn = ({ query }: FastifyRequest): ManageNews | undefined => {
  const { news } = query as { readonly news?: unknown };
  return MANAGE_NEWS.find((each) => each === news);
};

/** Shows or does something as whoever is signed in; everybody else is asked to sign in, and comes back. */
type As = (
  request: FastifyRequest,
  reply: FastifyReply,
  work: (person: Person) => Promise<FastifyReply>,
) => Promise<FastifyReply>;

function signedInAs(session: PersonSession, pages: Pick<Pages, "notFound">): As {
  return async (request, reply, work) => {
    const person = await session.signedInPerson(request);
    if (person === undefined) return reply.redirect("/sign-in?to=manage", 303);
    try {
      return await work(person);
    } catch (error) {
      // Another pharmacy's and none at all are the same to whoever asks.
      if (error instanceof NotFoundError) return pages.notFound(request, reply);
      throw error;
    }
  };
}

/** Does it, and goes back to the pharmacy's screen with what it came to. */
function pressing(as: As) {
  return (request: FastifyRequest, reply: FastifyReply, act: Act): Promise<FastifyReply> =>
    as(request, reply, async (person) => {
      try {
        const { pharmacyId, came } = await act(person, idIn(request));
        return reply.redirect(`/manage/${pharmacyId}?news=${came}`, 303);
      } catch (error) {
        // A signer or a journal that is away: what was pressed can be pressed again.
        if (error instanceof CaError) return reply.redirect("/manage?news=later", 303);
        throw error;
      }
    });
}

/** The screen itself: of the one pharmacy, or first which. */
function addScreens(
  app: FastifyInstance,
  as: As,
  { desk, pages }: Pick<ManageRoutesOptions, "desk" | "pages">,
): void {
  app.get("/manage", { schema: { hide: true } }, (request, reply) =>
    as(request, reply, async (person) => {
      const pharmacies = await desk.pharmacies(person);
      const news = newsIn(request);
      const [only] = pharmacies;
      if (only !== undefined && pharmacies.length === 1) {
        const told = news === undefined ? "" : `?news=${news}`;
        return reply.redirect(`/manage/${only.id}${told}`, 303);
      }
      const view = { who: person, pharmacies, ...(news !== undefined && { news }) };
      return pages.send(reply, choosePharmacyPage(view, pages.contextOf(request)));
    }),
  );

  app.get("/manage/:id", { schema: { hide: true } }, (request, reply) =>
    as(request, reply, async (who) => {
      const [pharmacy, all] = await Promise.all([
        desk.look(who, idIn(request)),
        desk.pharmacies(who),
      ]);
      const news = newsIn(request);
      const hasOthers = all.length > 1;
      const view = { who, pharmacy, hasOthers, ...(news !== undefined && { news }) };
      return pages.send(reply, managePage(view, pages.contextOf(request)));
    }),
  );
}

type Route = FastifyPluginAsyncTypebox<ManageRoutesOptions>;

/** The screen of a pharmacy's people for its devices. */
export const manageRoutes: Route = async (app, options) => {
  const { appUrl, deputies, desk, deviceHolds, signIn } = options;
  const way = await addWaySession(app, appUrl);
  const as = signedInAs(createPersonSession(signIn.personSessions, appUrl), options.everywhere);
  const pressed = pressing(as);
  addScreens(app, as, options);

  app.post(
    "/manage/enrolments/:id/confirm",
    { schema: { hide: true, body: schemas.ManageConfirmation } },
    (request, reply) => {
      const { supportNumber } = request.body;
      const ownWay = way.of(request);
      return pressed(request, reply, (person, enrolmentId) =>
        desk.confirm(person, { enrolmentId, supportNumber, ownWay }),
      );
    },
  );

  app.post(
    "/manage/devices/:id/hold",
    { schema: { hide: true, body: schemas.ManageHold } },
    (request, reply) => {
      const { reason } = request.body;
      return pressed(request, reply, (person, id) => deviceHolds.hold(person, id, reason));
    },
  );

  app.post(
    "/manage/memberships/:id/deputy",
    { schema: { hide: true, body: schemas.ManageDeputy } },
    (request, reply) => {
      const { deputy } = request.body;
      return pressed(request, reply, (person, id) => deputies.name(person, id, deputy === "yes"));
    },
  );

  app.post("/manage/devices/:id/release", { schema: { hide: true } }, (request, reply) =>
    pressed(request, reply, (person, id) => deviceHolds.release(person, id)),
  );
};
