/** The media servers elsewhere, as the environment names them: what is right, and that no password is ever shown. */
import { describe, expect, test } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config";

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test("one after the other, each part percent-encoded, an IPv6 address in brackets", () => {
  const { FREESWITCH_NODES, ASTERISK_NODES } = readConfig({
    FREESWITCH_NODES: "fs1=127.0.0.1:8021:ClueCon, fs2=[::1]:8022:a%3Ab%2Cc%40 ,FS3=switch.example.com:1:%C3%BC",
    ASTERISK_NODES:
      "ast=http://127.0.0.1:8088|voicegate|p%7Cw%2C%25,far=https://pbx.example.com/asterisk/|u%20v|secret",
  });
  expect(FREESWITCH_NODES).toEqual([
    { node: "fs1", host: "127.0.0.1", port: 8021, password: "ClueCon" },
    { node: "fs2", host: "::1", port: 8022, password: "a:b,c@" },
    { node: "FS3", host: "switch.example.com", port: 1, password: "ü" },
  ]);
  expect(ASTERISK_NODES).toEqual([
    { node: "ast", url: "http://127.0.0.1:8088", user: "voicegate", password: "p|w,%" },
    { node: "far", url: "https://pbx.example.com/asterisk", user: "u v", password: "secret" },
  ]);
});

describe("what is wrong is said with what would be right, and without the value", () => {
  test.each([
    "hunter2",
    "fs1=hunter2",
    "fs1=127.0.0.1:hunter2",
    "fs1=127.0.0.1:8021:",
    "fs1=127.0.0.1:0:hunter2",
    "fs1=127.0.0.1:65536:hunter2",
    "fs1=127.0.0.1:8021:hunter2:hunter2",
    "fs1=127.0.0.1:8021:hunter2%",
    "fs1=::1:8021:hunter2",
    "room=127.0.0.1:8021:hunter2",
    "fs-1=127.0.0.1:8021:hunter2",
    "abcdefghijklmnopq=127.0.0.1:8021:hunter2",
    "=127.0.0.1:8021:hunter2",
    "fs1=127.0.0.1:8021:hunter2,",
    "fs1=127.0.0.1:8021:hunter2,hunter2",
  ])("FREESWITCH_NODES=%s", (FREESWITCH_NODES) => {
    const [problem, ...more] = problems({ FREESWITCH_NODES });
    expect(more).toEqual([]);
    expect(problem).toMatch(/^FREESWITCH_NODES must be name=host:port:password, /);
    expect(problem).not.toContain("hunter2");
  });

  test.each([
    "hunter2",
    "ast=http://127.0.0.1:8088",
    "ast=http://127.0.0.1:8088|user",
    "ast=http://127.0.0.1:8088|user|",
    "ast=http://127.0.0.1:8088||hunter2",
    "ast=http://127.0.0.1:8088|user|hunter2|more",
    "ast=ftp://127.0.0.1|user|hunter2",
    "ast=127.0.0.1:8088|user|hunter2",
    "ast=http://user:hunter2@127.0.0.1:8088|user|hunter2",
    "ast=http://:hunter2@127.0.0.1:8088|user|hunter2",
    "ast=http://127.0.0.1:8088?api_key=hunter2|user|hunter2",
    "ast=http://127.0.0.1:8088#hunter2|user|hunter2",
    "ast=http://127.0.0.1:8088|user|%E0%A4%A",
    "room=http://127.0.0.1:8088|user|hunter2",
  ])("ASTERISK_NODES=%s", (ASTERISK_NODES) => {
    const [problem, ...more] = problems({ ASTERISK_NODES });
    expect(more).toEqual([]);
    expect(problem).toMatch(/^ASTERISK_NODES must be name=url\|user\|password, /);
    expect(problem).not.toContain("hunter2");
  });

  test("a name twice, in one of them or in both", () => {
    const FREESWITCH_NODES = "a=127.0.0.1:8021:hunter2,b=127.0.0.1:8022:hunter2";
    expect(problems({ FREESWITCH_NODES: `${FREESWITCH_NODES},a=127.0.0.1:8023:hunter2` })).toEqual([
      "FREESWITCH_NODES names a node twice",
    ]);
    const ASTERISK_NODES = "b=http://127.0.0.1:8088|user|hunter2,c=http://127.0.0.1:8089|user|hunter2";
    expect(problems({ FREESWITCH_NODES, ASTERISK_NODES })).toEqual([
      "ASTERISK_NODES and FREESWITCH_NODES both name a node b",
    ]);
  });
});
