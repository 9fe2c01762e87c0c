// What the current line of the strategy is doing at this event, in a sentence or two with the numbers. Pure functions from a state
// and from the whole search, which knows what else a move ruled out.

function lineWords(state, whole) {
  const e = state.last;
  return e ? DOING[e.k]?.(state, e, state.nodes[e.n], whole) ?? 'The search has ended.' : 'Nothing has happened yet.';
}

const SCORES_TOLD = 4;

// Scores of nodes, the best first: "0.88, 0.81 and 3 more".
function scoresOf(nodes) {
  const scores = nodes.filter((node) => node.score !== null).map((node) => node.score).sort((a, b) => b - a).map(scoreText);
  const failed = nodes.length - scores.length;
  const told = scores.slice(0, scores.length === SCORES_TOLD + 1 ? SCORES_TOLD + 1 : SCORES_TOLD);
  const rest = scores.length - told.length;
  const parts = [...told, ...(rest ? [`${rest} more`] : []), ...(failed ? [`${failed} without a score`] : [])];
  return parts.length < 2 ? parts.join('') : parts.slice(0, -1).join(', ') + ' and ' + parts[parts.length - 1];
}

const inBrackets = (node) => (node.score === null ? '' : ` (${scoreText(node.score)})`);

const stepWords = (node, length) => (node.n === 0 ? 'the problem' : quote(clip(node.text, length ?? 60)));
const inQuotes = (text) => (text ? ': ' + quote(text) : '');

const DOING = {
  '!': () => 'The strategy starts at the problem itself, the root of the tree.',
  '+': (state, e, node) => {
    const does = node.revises ? `It revises the attempt that ended in node ${node.revises.path}`
      : `It asks the policy for steps after ${stepWords(node.parent, 40)}${inBrackets(node.parent)}`;
    return `${does}; the policy wrote ${stepWords(node)}.`;
  },
  '?': (state, e, node) => {
    if (node.failed) return `It asks the verifier about ${stepWords(node)}; the verifier failed on it, so it ranks last.`;
    const score = `${scoreText(node.score)}${rankWords(state, node)}`;
    if (!e.V) return `It asks the verifier how good ${stepWords(node)} is: the score is ${score}.`;
    return `The verifier wrote ${many(e.V[1], 'verdict')} on ${stepWords(node)}: ${e.V[0]} say yes, so the score is ${score}.`;
  },
  '~': (state, e, node) => `It looked ${many(e.c, 'step')} ahead of ${stepWords(node)}, for its score only${inQuotes(e.t)}.`,
  f: (state, e, node) => {
    const { by, accepted, text } = node.feedback[node.feedback.length - 1];
    const so = accepted === null ? ' Whether it is right, that can’t tell.' : ` So the attempt is ${acceptance(accepted)}.`;
    return `Feedback by ${giver(by)} on ${stepWords(node)}${inQuotes(text)}.${so}`;
  },
  x: droppedWords,
  '^': backedUpWords,
  '>': selectedWords,
  $: (state, e) => (e.v ? `The verifier has answered: it read ${many(e.v[1], 'token')}.`
    : `The policy has answered: it sampled ${many(e.p[0], 'token')}.`),
  i: (state, e) => 'It says: ' + e.t,
  '=': (state, e, node) => `The strategy has returned. The answer is ${RULES[e.r] ?? 'the one by rule ' + e.r}: ${e.w}${weightWords(e, node)}.`,
  '@': (state, e) => `The answer ${e.w} is ${e.c === true ? 'right' : e.c === false ? 'wrong' : 'not graded'}.`,
};

// How a score stands among those of its iteration so far.
function rankWords(state, node) {
  const scores = state.iterations[node.iteration].map((n) => state.nodes[n].score).filter((score) => score !== null);
  const above = scores.filter((score) => score > node.score).length;
  if (scores.length < 2) return '';
  return above === 0 ? `, the best of ${scores.length} so far` : `, where the best of ${scores.length} so far is ${scoreText(Math.max(...scores))}`;
}

// What a move keeps and drops, of one iteration, and of one subtree where they don't compete.
function droppedWords(state, e, node, whole) {
  const does = `It gives up ${stepWords(node)}${inBrackets(node)}: ${REASONS[e.y] ?? e.y}.`;
  if (e.y === 'duplicate') return does;
  const rivals = state.iterations[node.iteration].map((n) => whole.nodes[n])
    .filter((other) => subtreeOf(state, other) === subtreeOf(state, node) && other.pruned !== 'duplicate'
      && !other.kids.some((kid) => kid.iteration === other.iteration));
  const dropped = rivals.filter((other) => other.pruned === e.y);
  const kept = rivals.filter((other) => other.pruned === null && !other.terminal);
  const finished = rivals.filter((other) => other.pruned === null && other.terminal);
  const said = [kept.length ? `kept ${scoresOf(kept)}` : 'kept none', ...(finished.length ? [`finished ${scoresOf(finished)}`] : []),
    `dropped ${scoresOf(dropped)}`].join('; ');
  return `${does} ${said[0].toUpperCase()}${said.slice(1)}.`;
}

// What the chosen answer weighs among all.
function weightWords(e, node) {
  const all = e.V.reduce((sum, [, weight]) => sum + weight, 0);
  const own = e.V.find(([answer]) => answer === e.w)?.[1] ?? 0;
  if (e.r === 'majority') return `, with ${own} of ${all} votes`;
  if (e.r === 'weighted') return `, ${own.toFixed(2)} of ${all.toFixed(2)}`;
  return e.r === 'best' && node?.score !== null ? `, ${scoreText(node.score)}` : '';
}

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
  return `It turns to ${stepWords(nodes[0])}${inBrackets(nodes[0])}${facts}${more}.`;
}
