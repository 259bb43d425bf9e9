/** The media child: a program of its own, so that nothing that the main process does can hold up a packet. */
import { Calls } from "./calls";
import { Clock } from "./clock";
import type { Order, Report } from "./messages";

let calls: Calls | null = null;

/** That nobody is left to tell is sometimes learnt here, before `disconnect`. */
function gone(error: Error | null): void {
  if (error !== null) process.exit(0);
}

function report(report: Report): void {
  if (process.connected) process.send?.(report, undefined, undefined, gone);
}

process.on("message", (order: Order) => {
  if (order.command.do === "start" && calls === null) {
    const started = new Calls(order.command, report);
    new Clock((number) => started.beat(number));
    calls = started;
  }
  calls?.take(order);
});

// Also when the parent was killed: the channel ends with it.
process.on("disconnect", () => process.exit(0));

// A terminal sends these to all processes of the group. When to end is the parent's decision: calls may have to be ended first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
