import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";

import type { EnrolmentVisits } from "../lifecycle/enrolment-visits.ts";
import type { Named, NameHolder } from "../lifecycle/naming.ts";
import type { NewMachines } from "../lifecycle/new-machines.ts";
import type { Way } from "../lifecycle/way-row.ts";
import type { Ways } from "../lifecycle/ways.ts";
import { ConflictError, InvalidValueError } from "../registry/errors.ts";
import type { Platform } from "../registry/vocabulary.ts";
import { qrPicture } from "../web/qr.ts";
import type { NameProblem, NamingView } from "../web/way/naming-page.ts";
import { pageOf } from "../web/way/states.ts";
import type { WayView } from "../web/way/way-page.ts";
import { inHandOf, isRefusal, NOBODY } from "./way-forms.ts";
import * as schemas from "./schemas/enrolments.ts";
import type { WayPages } from "./way-pages.ts";
import type { WaySession } from "./way-session.ts";
import { browserIn, isOtherKind, viewOf } from "./way-view.ts";

export interface MachineRoutesOptions {
  readonly enrolmentVisits: Pick<EnrolmentVisits, "renew">;
  readonly newMachines: NewMachines;
  readonly ways: Pick<Ways, "look">;
  readonly pages: WayPages;
}

type Route = FastifyPluginAsyncTypebox<MachineRoutesOptions>;

/** What runs there: as the header says, unless that may be something else, and the page or the person knows better. */
function platformOf(
  request: FastifyRequest,
  { platform }: Static<typeof schemas.WayNaming>,
): Platform {
  const found = browserIn(request).platform;
  return found === "other" || found === "macos" ? (platform ?? found) : found;
}

interface Asking {
  readonly newMachines: NewMachines;
  readonly secret: string;
}

/** The page on which the machine gets its name. */
async function namingView(
  request: FastifyRequest,
  way: Way,
  { newMachines, secret }: Asking,
): Promise<WayView> {
  const { deviceName: lost } = way;
  const naming: NamingView = {
    platform: browserIn(request).platform,
    taken: await newMachines.names(secret),
    // It had a name, which another device has got since.
    ...(lost !== undefined && { problem: "lost", typed: lost }),
  };
  const { deviceName: _, ...view } = viewOf(way, browserIn(request), { file: false });
  return { ...view, naming };
}

type Holder = NonNullable<NamingView["holder"]>;

/** The device, and whether a certificate may be put into a further place of it: never on another kind of machine. */
function holderIn(request: FastifyRequest, holder: NameHolder): Holder {
  const { certificate, deviceId, hasRoom, name, platform } = holder;
  const mayBeThis = certificate !== undefined && !isOtherKind(platform, browserIn(request));
  const further = hasRoom ? "offered" : "full";
  return {
    deviceId,
    name,
    further: mayBeThis ? further : "none",
    ...(certificate !== undefined && { certificate }),
  };
}

/** The page on which the person says what becomes of the certificates that the device has. */
async function placeView(
  request: FastifyRequest,
  way: Way,
  { newMachines, secret }: Asking,
): Promise<WayView> {
  const { platform } = browserIn(request);
  const device = await newMachines.device(secret);
  const naming: NamingView = {
    platform,
    taken: [],
    ...(device !== undefined && { holder: holderIn(request, device) }),
  };
  return { ...viewOf(way, browserIn(request), { file: false }), naming };
}

/** The page on which the person is asked what only they can say; undefined where all is said. */
export async function questionView(
  request: FastifyRequest,
  way: Way,
  asking: Asking,
): Promise<WayView | undefined> {
  const page = pageOf(way);
  if (page === "name") return namingView(request, way, asking);
  return page === "place" ? placeView(request, way, asking) : undefined;
}

const PROBLEM: Readonly<Record<"reserved" | "in-use", NameProblem>> = {
  reserved: "reserved",
  "in-use": "owned",
};

/** What the page says where the name is somebody else's. */
function answered(
  view: WayView,
  named: Exclude<Named, { readonly kind: "named" }>,
  { typed, platform, request }: { typed: string; platform: Platform; request: FastifyRequest },
): WayView {
  const { naming } = view;
  if (naming === undefined) return view;
  if (named.kind === "in-use" && named.holder.mayReplace) {
    const holder = holderIn(request, named.holder);
    return { ...view, page: "replace", naming: { ...naming, platform, holder } };
  }
  return { ...view, naming: { ...naming, problem: PROBLEM[named.kind], typed } };
}

/** Giving a machine its name. */
const namingRoute: (session: WaySession) => Route =
  (session) =>
  async (app, { newMachines, pages, ways }) => {
    app.post(
      "/way/device",
      { schema: { hide: true, body: schemas.WayNaming } },
      async (request, reply) => {
        const secret = session.of(request);
        const { offer, own = "", place, takesOver } = request.body;
        const typed = offer ?? own;
        const platform = platformOf(request, request.body);
        const again = async (): Promise<WayView> =>
          namingView(request, await ways.look(secret), { newMachines, secret });
        try {
          const naming = {
            name: typed,
            platform,
            ...(takesOver !== undefined && { takesOver }),
            ...(place !== undefined && { place }),
          };
          const named = await newMachines.name(secret, naming);
          if (named.kind === "named") return reply.redirect("/way", 303);
          const view = answered(await again(), named, { typed, platform, request });
          return pages.show(request, reply, view);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          if (!(error instanceof InvalidValueError)) return reply.redirect("/way", 303);
          const view = await again();
          const naming = view.naming && { ...view.naming, problem: "wrong" as const, typed };
          return pages.show(request, reply.code(422), { ...view, ...(naming && { naming }) });
        }
      },
    );
  };

/** In the place of the device's certificates, or beside them. Whatever comes of it, the page of the state says what can be done. */
const placeRoute: (session: WaySession) => Route =
  (session) =>
  async (app, { newMachines }) => {
    const schema = { hide: true, body: schemas.WayPlace };
    app.post("/way/place", { schema }, async (request, reply) => {
      try {
        await newMachines.choosePlace(session.of(request), request.body.place);
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
      return reply.redirect("/way", 303);
    });
  };

/** One more machine, from the page of one that is done. The code is on this page only, and going back to it asks anew. */
const anotherRoute: (session: WaySession) => Route =
  (session) =>
  async (app, { newMachines, pages, ways }) => {
    app.post("/way/another", { schema: { hide: true } }, async (request, reply) => {
      const secret = session.of(request);
      try {
        const { start, code, link } = await newMachines.another(secret);
        const { pharmacyName, supportNumber } = await ways.look(secret);
        const picture = await qrPicture(link, pages.wordsOf(request).another.picture);
        const another = { start, code, picture };
        const view = { page: "another", pharmacyName, supportNumber, another, ...NOBODY } as const;
        return pages.show(request, reply, view);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return reply.redirect("/way", 303);
      }
    });
  };

/** A new invitation in place of one whose time is over, to the address that the account has and to no other. */
const anewRoute: Route = async (app, { enrolmentVisits, pages }) => {
  app.post(
    "/start/anew",
    { schema: { hide: true, body: schemas.InHand } },
    async (request, reply) => {
      const inHand = inHandOf(request.body);
      try {
        const offered = await enrolmentVisits.renew(inHand);
        if (offered.kind === "enough")
          return pages.show(request, reply.code(429), { page: "enough", ...NOBODY });
        const { address } = offered;
        return pages.show(request, reply, { page: "resent", address, ...NOBODY });
      } catch (error) {
        if (!isRefusal(error)) throw error;
        // Its own page says what became of it.
        if (error instanceof ConflictError && inHand.kind === "link")
          return reply.redirect(`/start/${encodeURIComponent(inHand.text)}`, 303);
        return pages.show(request, reply.code(404), { page: "unknown", ...NOBODY });
      }
    },
  );
};

/** Machines that nobody has registered, and invitations that are over. */
export const machineRoutes: (session: WaySession) => Route = (session) => async (app, options) => {
  await app.register(namingRoute(session), options);
  await app.register(placeRoute(session), options);
  await app.register(anotherRoute(session), options);
  await app.register(anewRoute, options);
};
