import { describe, expect, it } from 'vitest';
import { isReadOnly, isRedisError, RedisRefusal, refusalOf, stringsOf } from '../../lib/redis-client/refusal.ts';

describe(refusalOf.name, () => {
  it.each([
    ["NOPERM this user has no permissions to run the 'evalsha' command", 'NOPERM'],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', 'NOPERM'],
    ["ERR ACL failure in script: User default has no permissions to run the 'zadd' command", 'ERR'],
    ['NOAUTH Authentication required.', 'NOAUTH'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS'],
    ['DENIED Redis is running in protected mode because protected mode is enabled', 'DENIED'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'WRONGTYPE'],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'CROSSSLOT'],
    ["ERR unknown command 'EVAL', with args beginning with: ", 'ERR'],
    ['ERR unknown command `evalsha`, with args beginning with: ', 'ERR'],
    ["ERR Can't execute 'evalsha': only (P|S)SUBSCRIBE / PING / QUIT are allowed in this context", 'ERR'],
    ['Connection in subscriber mode, only subscriber commands may be used', 'ERR_CLIENT'],
    ['ERR user_script:40: attempt to compare nil with number', 'ERR'],
    [
      "ERR Error running script (call to f_c0): @user_script:9: The user executing the script can't run this command or subcommand",
      'ERR',
    ],
    ["ERR The user executing the script can't run this command or subcommand", 'ERR'],
    [
      "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
      'ERR',
    ],
    ['ERR Unknown Redis command called from script', 'ERR'],
    ['ERR Error running script (call to f_c0): @user_script:2: WRONGTYPE Operation against a key', 'ERR'],
  ])('knows what can never pass: %s', (message, code) => {
    const cause = new Error(message);
    expect(refusalOf(cause, false)).toMatchObject({ code, message, cause });
    expect(refusalOf(cause, true)).toBeInstanceOf(RedisRefusal);
  });

  it.each([
    'LOADING Redis is loading the dataset in memory',
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    "READONLY You can't write against a read only replica.",
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'CLUSTERDOWN The cluster is down',
    'TRYAGAIN Multiple keys request during rehashing of slot',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
    'NOREPLICAS Not enough good replicas to write.',
    'ERR max number of clients reached',
    'ERR Connection refused',
    'ERR max requests limit exceeded',
    'Connection is closed.',
    'connect ECONNREFUSED 127.0.0.1:6379',
    'Too many Cluster redirections. Last error: ReplyError: MOVED 3999 127.0.0.1:6381',
  ])('leaves alone what may pass: %s', (message) => {
    expect(refusalOf(new Error(message), false)).toBeUndefined();
  });

  it.each(['MOVED 3999 127.0.0.1:6381', 'ASK 3999 127.0.0.1:6381'])(
    'takes %s for one where the client knows no Cluster, and says what does',
    (message) => {
      expect(refusalOf(new Error(message), false)?.message).toMatch(/^(?:MOVED|ASK) .*createCluster/);
      expect(refusalOf(new Error(message), true)).toBeUndefined();
    },
  );

  it('knows a client that takes other arguments, but not by what fetch throws', () => {
    const misuse = refusalOf(new TypeError('keys is not iterable'), false);
    expect(misuse).toMatchObject({
      code: 'ERR_CLIENT',
      message: expect.stringMatching(/client of ioredis.*: keys is not iterable$/),
    });
    const unreachable = [
      new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }),
      new TypeError('Failed to fetch'),
      new TypeError('NetworkError when attempting to fetch resource.'),
      new TypeError('Load failed'),
    ];
    for (const error of unreachable) expect(refusalOf(error, false)).toBeUndefined();
  });

  it('leaves out where in the script it happened', () => {
    const where = ` script: ${'a0'.repeat(20)}, on @user_script:5.`;
    expect(refusalOf(new Error(`WRONGTYPE Operation against a key${where}`), false)?.message).toBe(
      'WRONGTYPE Operation against a key',
    );
  });

  it('finds nothing in what is no error', () => {
    for (const odd of [undefined, null, 'NOPERM', 5]) {
      expect(refusalOf(odd, false)).toBeUndefined();
      expect([isRedisError(odd), isReadOnly(odd)]).toEqual([false, false]);
    }
  });
});

describe(stringsOf.name, () => {
  it('hands strings over', () => {
    expect(stringsOf(['a', ''])).toEqual(['a', '']);
    expect(stringsOf([])).toEqual([]);
  });

  it.each<[unknown, string]>([
    [['a', 5, { token: 'secret' }], '[a string, 5, an object]'],
    [[Buffer.from('a')], '[an instance of Buffer]'],
    ['QUEUED', 'a string'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [{ 0: 'a' }, 'an object'],
  ])('refuses anything else, by its kinds only: %j', (reply, kinds) => {
    const advice = 'the client has to hand strings over as Redis gives them, and must not parse them';
    expect(() => stringsOf(reply)).toThrow(RedisRefusal);
    expect(() => stringsOf(reply)).toThrow(`Redis gave an unexpected reply, ${kinds}: ${advice}`);
  });
});
