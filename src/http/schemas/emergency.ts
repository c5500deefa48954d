import { Type } from "typebox";

import { closed, line } from "./common.ts";

/** An address as somebody typed it: whether it is one, nobody is told. */
export const EmergencyAddress = closed({ address: line(254) });

/** Which machine cannot be used; without one the page asks again. */
export const EmergencyDevice = closed({ device: Type.Optional(line(40)) });
