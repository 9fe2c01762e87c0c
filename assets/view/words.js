// Everything the view says in sentences: pure functions from a state to plain words.

const FATES = {
  kept: { word: 'kept', shape: 'disc', says: 'kept or open' },
  open: { word: 'open', shape: 'disc' },
  waiting: { word: 'waiting for a score', shape: 'hollow', says: 'waiting for a score' },
  pruned: { word: 'pruned', shape: 'cross', says: 'pruned' },
  duplicate: { word: 'duplicate', shape: 'ring', says: 'duplicate of a sibling' },
  finished: { word: 'finished', shape: 'square', says: 'finished answer' },
  selected: { word: 'the answer', shape: 'chosen', says: 'the chosen answer' },
};
const REASONS = {
  rank: 'others ranked higher', duplicate: 'same text as a sibling', 'by hand': 'pruned by hand',
  'no share': 'its share of the next samples is none', 'not drawn': 'no particle drew it',
};
const RULES = {
  best: 'the finished answer with the highest score', majority: 'the answer that most samples gave',
  weighted: 'the answer with the largest sum of scores', last: 'the last finished answer',
};

const ENDS = { done: 'Done', budget: 'Stopped when the budget was spent', cancelled: 'Cancelled', failed: 'Failed' };

// In the reader's language where the page knows one (`words/speak.js`); a saved replay is in English. A table's sentences are in
// English, and are translated where they are said.
const language = typeof languageNow === 'function' ? languageNow : () => 'en';
const inWords = typeof tr === 'function' ? tr
  : (english, values) => english.replace(/\{(\w+)\}/g, (all, name) => values?.[name] ?? all);
const plural = typeof trPlural === 'function' ? trPlural
  : (count, one, more = one, values = {}) => inWords(count === 1 ? one : more, { ...values, n: numberText(count) });
const fromTable = (table, name, otherwise) => (Object.hasOwn(table, name) ? inWords(table[name]) : otherwise);
const numberText = (number) => number.toLocaleString(language());
const scoreText = (score) => (score === null || score === undefined ? '' : score.toFixed(2));
const quote = (text) => inWords('“{text}”', { text: text || inWords('an empty step') });
const clip = (text, length) => (text.length > length ? text.slice(0, length - 1) + '…' : text);
const oneLine = (text) => text.replace(/\s+/g, ' ').trim();

function fateWords(state, node) {
  const fate = fateOf(state, node);
  if (fate === 'pruned') return inWords('pruned: {reason}', { reason: reasonWords(node.pruned) });
  const said = inWords(FATES[fate].word);
  const grade = gradeOf(state, node);
  if (grade === true) return inWords('{fate}, right', { fate: said });
  return grade === false ? inWords('{fate}, wrong', { fate: said }) : said;
}

const reasonWords = (reason) => fromTable(REASONS, reason, reason);

function nodeName(state, node) {
  if (node.n === 0) return [inWords('the problem: {problem}', { problem: state.start?.p ?? '' }), ...factWords(node)].join(', ');
  const none = node.failed ? inWords('no score, the verifier failed') : inWords('no score');
  const score = node.score === null ? none : inWords('score {score}', { score: scoreText(node.score) });
  const facts = [fateWords(state, node), ...subtreeWords(state, node), ...factWords(node)].join(', ');
  return inWords('step {depth}, {text}, {score}, {facts}', { depth: node.depth, text: node.text || inWords('empty'), score, facts });
}

// In a list, which is empty where there are no subtrees.
function subtreeWords(state, node) {
  const subtree = subtreeOf(state, node);
  return subtree ? [inWords('subtree {subtree}', { subtree })] : [];
}

// What just happened, for the status line: about the iteration, not about each event.
function statusWords(state, situation) {
  if (situation === 'empty') return '';
  if (state.end || situation === 'interrupted') return endWords(state, situation);
  if (state.answer) return inWords('The search is over: the answer is {answer}.', { answer: state.answer.w });
  if (state.iteration === 0) return inWords('The search begins.');
  const ours = state.iterations[state.iteration].map((n) => state.nodes[n]);
  const scored = ours.filter((node) => node.score !== null);
  const kept = candidatesOf(state).filter((node) => fateOf(state, node) === 'kept');
  const said = [plural(ours.length, '{n} step sampled', '{n} steps sampled')];
  if (scored.length && scored.length < ours.length) said.push(plural(scored.length, '{n} scored'));
  if (kept.length) said.push(plural(kept.length, '{n} kept'));
  const done = ours.filter((node) => node.terminal).length;
  if (done) said.push(plural(done, '{n} finished'));
  said.push(...tally(ours));
  if (scored.length) said.push(inWords('best score {score}', { score: scoreText(Math.max(...scored.map((node) => node.score))) }));
  return inWords('Iteration {iteration}: {said}.', { iteration: state.iteration, said: said.join(', ') });
}

// How many of an iteration's nodes were revised, looked ahead from, judged in words, given feedback.
function tally(ours) {
  const said = [];
  const count = (test) => ours.filter(test).length;
  const revisions = count((node) => node.revises);
  const ahead = count((node) => node.ahead);
  const verdicts = ours.reduce((sum, node) => sum + (node.verdicts ? node.verdicts[1] : 0), 0);
  const told = count((node) => node.feedback.length);
  const accepted = count((node) => node.feedback.some((given) => given.accepted === true));
  if (revisions) said.push(plural(revisions, '{n} attempt revised', '{n} attempts revised'));
  if (ahead) said.push(plural(ahead, 'looked ahead from {n}'));
  if (verdicts) said.push(plural(verdicts, '{n} written verdict', '{n} written verdicts'));
  if (told && accepted) said.push(plural(told, 'feedback on {n}, {accepted} accepted', undefined, { accepted }));
  else if (told) said.push(plural(told, 'feedback on {n}, none accepted'));
  return said;
}

const endWords = (state, situation) => `${statusOf(state, situation)}. ${answerWords(state)}`;

function answerWords(state) {
  if (!state.answer) return inWords('No answer was finished.');
  const { w: answer, n } = state.answer;
  const grade = gradeOf(state, state.nodes[n]);
  if (grade === true) return inWords('The answer is {answer}, which is right.', { answer });
  if (grade === false) return inWords('The answer is {answer}, which is wrong.', { answer });
  return inWords('The answer is {answer}.', { answer });
}

function statusOf(state, situation) {
  if (!state.end && situation === 'interrupted') return inWords('Interrupted: the program that ran this search is gone');
  if (!state.end) return inWords('Searching');
  const { s: status, d: detail } = state.end;
  return fromTable(ENDS, status, status) + (detail ? `: ${detail.replace(/\.$/, '')}` : '');
}

// 1234567 -> "1.23 M"; FLOPs and the like.
function human(value, unit) {
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  let i = 0;
  while (value >= 1000 && i < prefixes.length - 1) { value /= 1000; i += 1; }
  const digits = i === 0 ? String(Math.round(value)) : value.toPrecision(3);
  return `${digits} ${prefixes[i]}${unit}`.trim();
}
