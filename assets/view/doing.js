// What the current line of the strategy is doing at this event, in a sentence or two with the numbers. Pure functions from a state
// and from the whole search, which knows what else a move ruled out.

function lineWords(state, whole) {
  const e = state.last;
  if (!e) return inWords('Nothing has happened yet.');
  return DOING[e.k]?.(state, e, state.nodes[e.n], whole) ?? inWords('The search has ended.');
}

const SCORES_TOLD = 4;

// Scores of nodes, the best first: "0.88, 0.81 and 3 more".
function scoresOf(nodes) {
  const scores = nodes.filter((node) => node.score !== null).map((node) => node.score).sort((a, b) => b - a).map(scoreText);
  const failed = nodes.length - scores.length;
  const told = scores.slice(0, scores.length === SCORES_TOLD + 1 ? SCORES_TOLD + 1 : SCORES_TOLD);
  const rest = scores.length - told.length;
  return listed([...told, ...(rest ? [plural(rest, '{n} more')] : []), ...(failed ? [plural(failed, '{n} without a score')] : [])]);
}

const listed = (parts) => (parts.length < 2 ? parts.join('')
  : inWords('{list} and {last}', { list: parts.slice(0, -1).join(', '), last: parts[parts.length - 1] }));

const inBrackets = (node) => (node.score === null ? '' : ` (${scoreText(node.score)})`);

const stepWords = (node, length) => (node.n === 0 ? inWords('the problem') : quote(clip(node.text, length ?? 60)));
const scoredStep = (node, length) => stepWords(node, length) + inBrackets(node);
const inQuotes = (text) => (text ? ': ' + quote(text) : '');

const DOING = {
  '!': () => inWords('The strategy starts at the problem itself, the root of the tree.'),
  '+': addedWords,
  '?': scoredWords,
  '~': (state, e, node) => plural(e.c, 'It looked {n} step ahead of {step}, for its score only',
    'It looked {n} steps ahead of {step}, for its score only', { step: stepWords(node) }) + `${inQuotes(e.t)}.`,
  f: feedbackWords,
  x: droppedWords,
  '^': backedUpWords,
  '>': selectedWords,
  $: (state, e) => (e.v
    ? plural(e.v[1], 'The verifier has answered: it read {n} token.', 'The verifier has answered: it read {n} tokens.')
    : plural(e.p[0], 'The policy has answered: it sampled {n} token.', 'The policy has answered: it sampled {n} tokens.')),
  i: (state, e) => inWords('It says: {note}', { note: e.t }),
  '=': (state, e, node) => inWords('The strategy has returned. The answer is {rule}: {answer}.', {
    rule: fromTable(RULES, e.r, inWords('the one by rule {rule}', { rule: e.r })),
    answer: [e.w, ...weightWords(e, node)].join(', '),
  }),
  '@': gradedWords,
};

function gradedWords(state, { w: answer, c: right }) {
  if (right === true) return inWords('The answer {answer} is right.', { answer });
  return right === false ? inWords('The answer {answer} is wrong.', { answer }) : inWords('The answer {answer} is not graded.', { answer });
}

function addedWords(state, e, node) {
  const step = stepWords(node);
  const path = node.revises?.path;
  if (path) return inWords('It revises the attempt that ended in node {path}; the policy wrote {step}.', { path, step });
  if (node.parent.n === 0) return inWords('It asks the policy for steps after the problem; the policy wrote {step}.', { step });
  const parent = scoredStep(node.parent, 40);
  return inWords('It asks the policy for steps after {parent}; the policy wrote {step}.', { parent, step });
}

function scoredWords(state, e, node) {
  const step = stepWords(node);
  if (node.failed) return inWords('It asks the verifier about {step}; the verifier failed on it, so it ranks last.', { step });
  const score = rankWords(state, node);
  if (!e.V) return inWords('It asks the verifier how good {step} is: the score is {score}.', { step, score });
  const [yes, of] = e.V;
  return plural(of, 'The verifier wrote {n} verdict on {step}: {yes} say yes, so the score is {score}.',
    'The verifier wrote {n} verdicts on {step}: {yes} say yes, so the score is {score}.', { step, yes, score });
}

function feedbackWords(state, e, node) {
  const { by, accepted, text } = node.feedback[node.feedback.length - 1];
  const so = accepted === null ? inWords('Whether it is right, that can’t tell.')
    : accepted ? inWords('So the attempt is accepted.') : inWords('So the attempt is not accepted.');
  return `${inWords('Feedback {by} on {step}', { by: byWhom(by), step: stepWords(node) })}${inQuotes(text)}. ${so}`;
}

// A score, and how it stands among those of its iteration so far.
function rankWords(state, node) {
  const score = scoreText(node.score);
  const scores = state.iterations[node.iteration].map((n) => state.nodes[n].score).filter((score) => score !== null);
  if (scores.length < 2) return score;
  const best = Math.max(...scores);
  const values = { score, n: scores.length, best: scoreText(best) };
  return best > node.score ? inWords('{score}, where the best of {n} so far is {best}', values)
    : inWords('{score}, the best of {n} so far', values);
}

// What a move keeps and drops, of one iteration, and of one subtree where they don't compete.
function droppedWords(state, e, node, whole) {
  const does = inWords('It gives up {step}: {reason}.', { step: scoredStep(node), reason: reasonWords(e.y) });
  if (e.y === 'duplicate') return does;
  const rivals = state.iterations[node.iteration].map((n) => whole.nodes[n])
    .filter((other) => subtreeOf(state, other) === subtreeOf(state, node) && other.pruned !== 'duplicate'
      && !other.kids.some((kid) => kid.iteration === other.iteration));
  const dropped = rivals.filter((other) => other.pruned === e.y);
  const kept = rivals.filter((other) => other.pruned === null && !other.terminal);
  const finished = rivals.filter((other) => other.pruned === null && other.terminal);
  const said = [kept.length ? inWords('kept {scores}', { scores: scoresOf(kept) }) : inWords('kept none'),
    ...(finished.length ? [inWords('finished {scores}', { scores: scoresOf(finished) })] : []),
    inWords('dropped {scores}', { scores: scoresOf(dropped) })].join('; ');
  return `${does} ${said[0].toUpperCase()}${said.slice(1)}.`;
}

// What the chosen answer weighs among all, in a list, which may be empty.
function weightWords(e, node) {
  const all = e.V.reduce((sum, [, weight]) => sum + weight, 0);
  const own = e.V.find(([answer]) => answer === e.w)?.[1] ?? 0;
  if (e.r === 'majority') return [plural(all, 'with {own} of {n} votes', undefined, { own })];
  if (e.r === 'weighted') return [inWords('{t} of {all}', { t: own.toFixed(2), all: all.toFixed(2) })];
  return e.r === 'best' && node?.score !== null ? [scoreText(node.score)] : [];
}

function backedUpWords(state, e, node) {
  const [root] = state.nodes;
  const [most] = root.kids.filter((kid) => kid.visits !== null).sort((a, b) => b.visits - a.visits);
  const does = node.n === 0 ? inWords('It counts the first scores')
    : inWords('It backs the new scores up from {step} to the problem', { step: stepWords(node, 40) });
  const said = [plural(root.visits, '{does}: {n} visit in all, mean value {value}.', '{does}: {n} visits in all, mean value {value}.',
    { does, value: scoreText(root.value) })];
  const told = most && { step: stepWords(most, 40), facts: factWords(most).join(', ') };
  if (told) said.push(inWords('Most visited first step: {step}, {facts}.', told));
  return said.join(' ');
}

function selectedWords(state, e) {
  const nodes = e.N.map((n) => state.nodes[n]);
  const most = (amount, words) => listed([...nodes].sort((a, b) => amount(b) - amount(a)).slice(0, 2)
    .map((node) => `${stepWords(node, 40)} (${words(amount(node))})`));
  if (e.s) {
    const own = (node) => node.share?.own ?? 0;
    const none = nodes.filter((node) => !own(node)).length;
    const rest = none ? `; ${plural(none, '{n} step gets none', '{n} steps get none')}` : '';
    return plural(nodes[0].share?.of ?? 0, 'It shares out the next {n} sample: most to {steps}',
      'It shares out the next {n} samples: most to {steps}', { steps: most(own, String) }) + `${rest}.`;
  }
  if (e.w) {
    return plural(nodes.length, 'It weighs {n} particle: heaviest {steps}.', 'It weighs {n} particles: heaviest {steps}.',
      { steps: most((node) => node.weight ?? 0, weightText) });
  }
  const step = [scoredStep(nodes[0]), ...factWords(nodes[0])].join(', ');
  return nodes.length === 1 ? inWords('It turns to {step}.', { step })
    : plural(nodes.length - 1, 'It turns to {step} and to {n} other.', 'It turns to {step} and to {n} others.', { step });
}
