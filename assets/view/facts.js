// What a strategy announced of a node beside its score: as words, as the short line under the node, and as the width of its
// edge. Pure functions from a state; they know no drawing.

const GIVERS = { verifier: 'by the verifier', self: 'by the model itself', truth: 'by the truth' };
const byWhom = (by) => fromTable(GIVERS, by, inWords('by {giver}', { giver: by }));
const acceptance = (accepted) => (accepted === true ? inWords('accepted')
  : accepted === false ? inWords('not accepted') : inWords('can’t tell'));
const weightText = (weight) => (weight >= 0.0095 ? weight.toFixed(2) : weight > 0 ? '<0.01' : '0');
const subtreeOf = (state, node) => (state.start?.M && node.n > 0
  ? Math.floor(Number(node.path.split('.')[0]) / state.start.M) + 1 : null);

// Each fact as a few words, for names, tables and screen readers.
function factWords(node) {
  const said = [];
  const { visits, value, share, weight, verdicts, ahead } = node;
  if (visits !== null) said.push(plural(visits, 'visited {n} time', 'visited {n} times'));
  if (value !== null) said.push(inWords('value {value}', { value: scoreText(value) }));
  if (share) said.push(plural(share.of, 'gets {own} of the next {n} sample', 'gets {own} of the next {n} samples', share));
  if (weight !== null) said.push(inWords('weight {weight}', { weight: weightText(weight) }));
  if (verdicts) said.push(plural(verdicts[1], '{yes} of {n} verdict say yes', '{yes} of {n} verdicts say yes', { yes: verdicts[0] }));
  for (const { by, accepted } of node.feedback) {
    said.push(inWords('feedback {by}: {accepted}', { by: byWhom(by), accepted: acceptance(accepted) }));
  }
  if (node.revises) said.push(inWords('revises node {path}', node.revises));
  if (node.revised.length) said.push(inWords('revised as node {path}', { path: pathsOf(node.revised) }));
  if (ahead) said.push(plural(ahead.steps, 'looked {n} step ahead', 'looked {n} steps ahead'));
  return said;
}

const pathsOf = (nodes) => nodes.map((node) => node.path).join(', ');

// What stands in small print under a node; null for nothing. A leaf visited once has its score for a value: that is not
// repeated. `room` is for the feedback's own words, in characters.
function underOf(node, room) {
  const said = [];
  if (node.visits > 1) said.push(node.value === null ? `${node.visits}×` : `${node.visits} · ${scoreText(node.value)}`);
  if (node.share && node.share.own > 0) said.push(`→ ${node.share.own}`);
  if (node.weight !== null) said.push('w ' + weightText(node.weight));
  if (node.verdicts) said.push(inWords('{yes}/{of} yes', { yes: node.verdicts[0], of: node.verdicts[1] }));
  const given = node.feedback.length ? node.feedback[node.feedback.length - 1] : null;
  if (given && room) said.push(clip(oneLine(given.text) || acceptance(given.accepted), room));
  if (!said.length && !given && !node.ahead) return null;
  const bubble = given ? (given.accepted === true ? 'accepted' : given.accepted === false ? 'refused' : 'unsure') : null;
  return { bubble, steps: node.ahead ? Math.min(node.ahead.steps, 6) : 0, text: said.join('  ') };
}

// How much of the search went through a node, from 0 to 1.
function flowOf(state, node) {
  if (node.visits !== null && state.nodes[0].visits) return Math.min(1, node.visits / state.nodes[0].visits);
  if (node.share) return node.share.of ? node.share.own / node.share.of : 0;
  return node.weight === null ? 0 : Math.min(1, Math.max(0, node.weight));
}

// What was said of a node up to now, each with its text: [heading, text or undefined while it is on its way]. `full` is what the
// server told, which may know more than has happened yet.
function spokenOf(node, full) {
  const said = node.feedback.map((given, i) => {
    const { by, text } = full?.feedback?.[i] ?? given;
    return [inWords('Feedback {by}: {accepted}', { by: byWhom(by), accepted: acceptance(given.accepted) }), text];
  });
  const { ahead, verdicts } = node;
  if (ahead) {
    said.push([plural(ahead.steps, 'Looked {n} step ahead, for the score only', 'Looked {n} steps ahead, for the score only'),
      full?.lookahead ?? ahead.text]);
  }
  for (let i = 0; i < (verdicts ? verdicts[1] : 0); i += 1) {
    const told = full?.verdicts?.[i];
    said.push([verdictWords(i + 1, told?.p_yes), told?.text]);
  }
  return said;
}

function verdictWords(n, yes) {
  if (yes === undefined) return inWords('Verdict {n}', { n });
  const values = { n, p: scoreText(yes) };
  return yes > 0.5 ? inWords('Verdict {n}: yes, p(yes) = {p}', values) : inWords('Verdict {n}: no, p(yes) = {p}', values);
}

// Whether `full` holds all that was said of the node so far.
const toldWhole = (node, full) => (full.feedback?.length ?? 0) >= node.feedback.length
  && (full.verdicts?.length ?? 0) >= (node.verdicts?.[1] ?? 0) && (!node.ahead || typeof full.lookahead === 'string');

// The nodes that the last event turned to: the selected ones, or the path up which scores were backed up.
function touchedBy(state) {
  const e = state.last;
  if (e?.k === '>') return new Set(e.N);
  return new Set(e?.k === '^' ? [0, ...pathTo(state.nodes[e.n]).map((node) => node.n)] : []);
}
