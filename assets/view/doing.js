// One sentence about what the current line of the strategy is doing at this event. A pure function from a state.

function lineWords(state) {
  const e = state.last;
  return e ? DOING[e.k]?.(state, e, state.nodes[e.n]) ?? 'The search has ended.' : 'Nothing has happened yet.';
}

const stepWords = (node, length) => (node.n === 0 ? 'the problem' : quote(clip(node.text, length ?? 60)));
const inQuotes = (text) => (text ? ': ' + quote(text) : '');

const DOING = {
  '!': () => 'The strategy starts at the problem itself, the root of the tree.',
  '+': (state, e, node) => {
    const does = node.revises ? `It revises the attempt that ended in node ${node.revises.path}`
      : `It asks the policy for steps after ${stepWords(node.parent, 40)}`;
    return `${does}; the policy wrote ${stepWords(node)}.`;
  },
  '?': (state, e, node) => {
    if (node.failed) return `It asks the verifier about ${stepWords(node)}; the verifier failed on it, so it ranks last.`;
    const score = scoreText(node.score);
    if (!e.V) return `It asks the verifier how good ${stepWords(node)} is: the score is ${score}.`;
    return `The verifier wrote ${many(e.V[1], 'verdict')} on ${stepWords(node)}: ${e.V[0]} say yes, so the score is ${score}.`;
  },
  '~': (state, e, node) => `It looked ${many(e.c, 'step')} ahead of ${stepWords(node)}, for its score only${inQuotes(e.t)}.`,
  f: (state, e, node) => {
    const { by, accepted, text } = node.feedback[node.feedback.length - 1];
    const so = accepted === null ? ' Whether it is right, that can’t tell.' : ` So the attempt is ${acceptance(accepted)}.`;
    return `Feedback by ${giver(by)} on ${stepWords(node)}${inQuotes(text)}.${so}`;
  },
  x: (state, e, node) => `It gives up ${stepWords(node)}: ${REASONS[e.y] ?? e.y}.`,
  '^': backedUpWords,
  '>': selectedWords,
  $: (state, e) => (e.v ? `The verifier has answered: it read ${many(e.v[1], 'token')}.`
    : `The policy has answered: it sampled ${many(e.p[0], 'token')}.`),
  i: (state, e) => 'It says: ' + e.t,
  '=': (state, e) => `The strategy has returned. The answer is ${RULES[e.r] ?? 'the one by rule ' + e.r}.`,
  '@': (state, e) => `The answer ${e.w} is ${e.c === true ? 'right' : e.c === false ? 'wrong' : 'not graded'}.`,
};

function backedUpWords(state, e, node) {
  const [root] = state.nodes;
  const [most] = root.kids.filter((kid) => kid.visits !== null).sort((a, b) => b.visits - a.visits);
  const up = `It backs the new scores up from ${stepWords(node, 40)} to the problem`;
  const does = node.n === 0 ? 'It counts the first scores' : up;
  const first = most ? ` Most visited first step: ${stepWords(most, 40)}, ${factWords(most).join(', ')}.` : '';
  return `${does}: ${many(root.visits, 'visit')} in all, mean value ${scoreText(root.value)}.${first}`;
}

function selectedWords(state, e) {
  const nodes = e.N.map((n) => state.nodes[n]);
  const most = (amount, words) => [...nodes].sort((a, b) => amount(b) - amount(a)).slice(0, 2)
    .map((node) => `${stepWords(node, 40)} (${words(amount(node))})`).join(' and ');
  if (e.s) {
    const own = (node) => node.share?.own ?? 0;
    const none = nodes.filter((node) => !own(node)).length;
    const rest = none ? `; ${many(none, 'step')} ${none === 1 ? 'gets' : 'get'} none` : '';
    return `It shares out the next ${many(nodes[0].share?.of ?? 0, 'sample')}: most to ${most(own, String)}${rest}.`;
  }
  if (e.w) return `It weighs ${many(nodes.length, 'particle')}: heaviest ${most((node) => node.weight ?? 0, weightText)}.`;
  const facts = ['', ...factWords(nodes[0])].join(', ');
  const more = nodes.length > 1 ? ` and to ${many(nodes.length - 1, 'other')}` : '';
  return `It turns to ${stepWords(nodes[0])}${facts}${more}.`;
}
