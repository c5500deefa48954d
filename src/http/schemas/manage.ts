import { HOLD_REASONS } from "../../lifecycle/desk.ts";
import { closed, patterned, word } from "./common.ts";

/** The number that the manager has compared: another by now is another person's page. */
export const ManageConfirmation = closed({
  supportNumber: patterned("^[0-9]{6}$", {
    description: "お問い合わせ番号, as the colleague's page shows it",
  }),
});

/** Whether a colleague is one from now on. */
export const ManageDeputy = closed({ deputy: word(["yes", "no"] as const) });

export const ManageHold = closed({ reason: word(HOLD_REASONS) });
