/** The configuration in `examples/freeswitch` says what the engine counts on. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { enter, extensionOf } from "../../src/engines/freeswitch/commands";

/** Compiled tests lie in dist/test/freeswitch. */
const folder = path.join(__dirname, "../../../examples/freeswitch");
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".xml"));
const textOf = (name: string): string => readFileSync(path.join(folder, name), "utf8");
/** Without what is only said. */
const effective = (name: string): string => textOf(name).replace(/<!--[\s\S]*?-->/g, "");

describe("examples/freeswitch", () => {
  test.each(files)("%s is XML: every element ends, in its order, and each says where it goes", (name) => {
    const open: string[] = [];
    for (const [, end, element = "", empty] of effective(name).matchAll(/<(\/?)([a-z-]+)[^>]*?(\/?)>/g)) {
      if (end) expect(open.pop()).toBe(element);
      else if (!empty) open.push(element);
    }
    expect(open).toEqual([]);
    expect(textOf(name)).toMatch(/^<!--/);
    // Two hyphens end a comment.
    for (const [, comment = ""] of textOf(name).matchAll(/<!--([\s\S]*?)-->/g)) expect(comment).not.toContain("--");
  });

  test("the rooms' profile is the one that calls join, at 8 kHz, and no key does anything in it", () => {
    const [, profile] = /@([a-z]+)$/m.exec(enter("b9e2f987-ef68-4c0e-b4b7-e567c2929fcb", room, false).text) ?? [];
    const conference = effective("autoload_configs/conference.conf.xml");
    expect(conference).toContain(`<profile name="${profile}">`);
    expect(conference).toContain('name="rate" value="8000"');
    expect(conference).toContain('name="caller-controls" value="none"');
    const suppressed = /name="suppress-events" value="([^"]*)"/.exec(conference)?.[1]?.split(",") ?? [];
    for (const needed of [
      "add-member",
      "del-member",
      "mute-member",
      "unmute-member",
      "play-file",
      "play-file-member",
    ]) {
      expect(suppressed).not.toContain(needed);
    }
  });

  test("the dialplan parks under a timer that can be cancelled, and knows where calls are handed back to", () => {
    const dialplan = effective("dialplan/voicegate.xml");
    expect(dialplan).toMatch(/sched_hangup" data="\+\d+ [A-Z_]+"\/>\s*<action application="park"\/>/);
    expect(dialplan).not.toContain("park_timeout");
    expect(dialplan.indexOf('<extension name="voicegate_disconnect">')).toBeLessThan(
      dialplan.indexOf('application="park"'),
    );
    const [, named = ""] = /gateway_disconnect=([^"]*)"/.exec(textOf("dialplan/voicegate.xml")) ?? [];
    expect(extensionOf(named)).toEqual({ name: "reception", context: "office" });
  });

  test("the SIP profile leads into that context", () => {
    const [, context = ""] = /<context name="([^"]+)">/.exec(effective("dialplan/voicegate.xml")) ?? [];
    expect(effective("sip_profiles/voicegate.xml")).toContain(`name="context" value="${context}"`);
  });
});

const room = "fs1-room-b9e2f987-ef68-4c0e-b4b7-e567c2929fcb";
