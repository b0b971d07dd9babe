import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assignments, startOf, wrapScript } from './command.ts';
import { harden } from './index.ts';
import { brokerOf, kafka } from './test/manifest.ts';

const run = '/etc/kafka/docker/run';
const launch = ['/bin/bash', '/etc/kafka-warden/launcher/launch'];
const hardened = (container: object) =>
  brokerOf(harden(kafka({ container }), { namespace: 'demo' }).workload);
const start = (container: object) => startOf({ name: 'kafka', ...container }, { entrypoints: [run] });
const shell = (script: string) => {
  const found = start({ command: ['sh', '-c', script] });
  assert.ok(found.kind === 'shell');
  return found;
};

describe('the launcher stands right before the entrypoint', () => {
  test("of the image's own start command", () => {
    assert.deepEqual(hardened({}).args, [...launch, run]);
    assert.equal(hardened({}).command, undefined, "the image's ENTRYPOINT stays");
  });

  test('in command, with its arguments behind it', () => {
    const { command, args } = hardened({ command: [run], args: ['KAFKA_X=1'] });
    assert.deepEqual(command, [...launch, run]);
    assert.deepEqual(args, ['KAFKA_X=1']);
  });

  test('in args', () =>
    assert.deepEqual(hardened({ args: [run, 'KAFKA_X=1'] }).args, [...launch, run, 'KAFKA_X=1']));

  test('behind a program that only starts another', () =>
    assert.deepEqual(hardened({ command: ['/usr/bin/tini', '--', run] }).command, [
      '/usr/bin/tini',
      '--',
      ...launch,
      run,
    ]));

  const scripts: [string, string][] = [
    [`exec ${run}`, `exec ${launch.join(' ')} ${run}`],
    [`export A=1; ${run}`, `export A=1; exec ${launch.join(' ')} ${run}`],
    [
      `KAFKA_NODE_ID=\${HOSTNAME##*-} ${run}`,
      `KAFKA_NODE_ID=\${HOSTNAME##*-} exec ${launch.join(' ')} ${run}`,
    ],
    [
      `set -e\nexport A=1 &&\n  exec ${run} KAFKA_X=1\n`,
      `set -e\nexport A=1 &&\n  exec ${launch.join(' ')} ${run} KAFKA_X=1\n`,
    ],
    [`# then ${run}\nexec ${run}`, `# then ${run}\nexec ${launch.join(' ')} ${run}`],
    [`(${run})`, `(${launch.join(' ')} ${run})`],
    [`[ -x ${run} ] && exec ${run}`, `[ -x ${run} ] && exec ${launch.join(' ')} ${run}`],
    [
      `cat >/tmp/x <<EOF\nexec ${run}\nEOF\nexec ${run}`,
      `cat >/tmp/x <<EOF\nexec ${run}\nEOF\nexec ${launch.join(' ')} ${run}`,
    ],
    [
      `if [ "$A" = 1 ]; then exec ${run}; else A=2 exec ${run}; fi`,
      `if [ "$A" = 1 ]; then exec ${launch.join(' ')} ${run}; else A=2 exec ${launch.join(' ')} ${run}; fi`,
    ],
    [`bash ${run}`, `exec ${launch.join(' ')} ${run}`],
    [`trap 'echo bye' EXIT; ${run}`, `trap 'echo bye' EXIT; ${launch.join(' ')} ${run}`],
    [`${run}; echo done`, `${launch.join(' ')} ${run}; echo done`],
    [`${run} | tee log`, `${launch.join(' ')} ${run} | tee log`],
    [`true && ${run} # last\n`, `true && exec ${launch.join(' ')} ${run} # last\n`],
    [
      `echo "calls ${run}" # ${run}\n${run} &\nwait`,
      `echo "calls ${run}" # ${run}\n${launch.join(' ')} ${run} &\nwait`,
    ],
    [
      'exec kafka-server-start.sh /etc/x --override a=b',
      `exec ${launch.join(' ')} kafka-server-start.sh /etc/x --override a=b`,
    ],
    [
      'kafka-storage.sh format -t "$ID" -c f\nexec "$KAFKA_HOME/bin/kafka-server-start.sh" f',
      `${launch.join(' ')} --format kafka-storage.sh format -t "$ID" -c f\nexec ${launch.join(' ')} "$KAFKA_HOME/bin/kafka-server-start.sh" f`,
    ],
  ];
  for (const [script, wrapped] of scripts)
    test(`in the script ${JSON.stringify(script)}`, () => {
      assert.equal(wrapScript(shell(script), launch, { mayExec: true }), wrapped);
      assert.equal(hardened({ command: ['sh', '-c', script] }).command?.[2], wrapped);
      assert.equal(hardened({ command: ['/bin/bash'], args: ['-ec', script] }).args?.[1], wrapped);
    });

  test('only once, also when a user edits the wrapped script', () => {
    const namespace = 'demo';
    const old = harden(kafka({ container: { command: ['sh', '-c', `exec ${run}`] } }), {
      namespace,
    }).workload;
    const edited = structuredClone(old);
    brokerOf(edited).command = ['sh', '-c', `export A=2; exec ${launch.join(' ')} ${run}`];
    const { workload } = harden(edited, { namespace, old });
    assert.equal(brokerOf(workload).command?.[2], `export A=2; exec ${launch.join(' ')} ${run}`);
  });
});

describe('a start command that cannot be wrapped says why', () => {
  const cases: [object, RegExp][] = [
    [{ command: [''] }, /it starts "" instead of/],
    [{ args: ['KAFKA_X=1'] }, /it starts "KAFKA_X=1"/],
    [{ command: ['bash', '/scripts/start.sh'] }, /script file whose content cannot be seen/],
    [{ command: ['bash', '-c', 'exec java -jar x.jar'] }, /never calls/],
    [{ command: ['bash', '-c', `eval "exec ${run}"`] }, /through eval/],
    [{ command: ['bash', '-c', `bash -c "exec ${run}"`] }, /through bash/],
    [{ command: ['bash', '-c', `exec runuser -u kafka -- ${run}; exec ${run}`] }, /through runuser/],
    [{ command: ['bash', '-c', `timeout 60 ${run}`] }, /through timeout/],
    [{ command: ['bash', '-c', `start-stop-daemon -x ${run}`] }, /through start-stop-daemon/],
    [{ command: ['bash', '-c', `. ${run}`] }, /sources/],
    [{ command: ['bash', '-c', `source ${run}`] }, /sources/],
    [{ command: ['bash', '-c', `su kafka -c "${run}"`] }, /through su/],
  ];
  for (const [container, reason] of cases)
    test(JSON.stringify(container), () => {
      const found = start(container);
      assert.equal(found.kind, 'unknown');
      assert.match(found.kind === 'unknown' ? found.reason : '', reason);
      const outcome = harden(kafka({ container }), { namespace: 'demo' });
      assert.equal(outcome.decision, 'reported');
      assert.equal(outcome.findings[0]?.rule, 'unparsed-command');
    });
  test('empty lists are no command', () => assert.equal(start({ command: [], args: [] }).kind, 'image'));
});

test('assignments of a script are read as far as they are literal', () => {
  const script = [
    'export A=1 B="two words" C=\'$literal\'',
    'D=$(hostname) E="x$Y" F=`id`',
    '# G=comment',
    'if true; then H=1; else H=2; fi; I=3; I=3',
    'cat <<EOF\nK=5\nEOF',
    `exec ${run} J=4`,
  ].join('\n');
  assert.deepEqual(Object.fromEntries(assignments(shell(script))), {
    A: { value: '1' },
    B: { value: 'two words' },
    C: { value: '$literal' },
    D: { expression: '$(hostname)' },
    E: { expression: 'x$Y' },
    F: { expression: '`id`' },
    H: {},
    I: { value: '3' },
    J: { value: '4' },
  });
});

test('a script that does not exec the entrypoint is told that SIGTERM stops at the shell', () => {
  const said = (script: string) =>
    harden(kafka({ container: { command: ['sh', '-c', script] } }), { namespace: 'demo' }).findings.some(
      (f) => f.rule === 'shutdown' && f.message.includes('without exec'),
    );
  assert.equal(said(`${run}; echo done`), true);
  assert.equal(said(`if true; then ${run}; fi`), true);
  assert.equal(said(`export A=1; ${run}`), false, 'the last command gets an exec');
  assert.equal(said(`export A=1; exec ${run}`), false);
  assert.equal(said(`exec env A=1 B=2 ${run}`), false);
});
