// The fold: from the log's lines (see viz/log.py for their keys) to what is known after the first k of them.
// It knows no drawing, no clock and no page: the same log and k always give the same state.

// What nothing has been said of yet: visits and value (tree search), a share of the next samples {own, of}, a particle's
// weight, verdicts [yes, of, mean], a look-ahead {steps, text}, feedback [{by, accepted, text}], and the attempts that revise it.
const UNTOLD = { visits: null, value: null, share: null, weight: null, verdicts: null, ahead: null, feedback: [], revises: null,
  revised: [] };

function blankState() {
  const root = { n: 0, parent: null, c: 0, depth: 0, path: '', text: '', kids: [], iteration: 0, score: null,
    reward: null, scoredAt: null, failed: false, pruned: null, terminal: false, cutOff: false, answer: null, ...UNTOLD };
  return { k: 0, seq: -1, line: null, start: null, nodes: [root], iteration: 0, growing: false,
    iterations: [[]],          // node numbers by iteration; 0 is the time before the first sample
    starts: [0],               // how many events came before each iteration
    decidedAt: [0],            // when a step of that iteration was last ruled out
    cost: { sampled: 0, forwarded: 0, flops: 0, seconds: 0, verifier: { sampled: 0, forwarded: 0, flops: 0, seconds: 0 } },
    told: new Set(),           // kinds of facts that some node has: visits, share, weight, verdicts, ahead, feedback, revises
    notes: [], answer: null, grades: [], right: new Map(), end: null, last: null };
}

// An iteration is the run of samples that one round of a strategy asks for: it begins with the first "+" of the search, and
// again with each "+" that comes after anything that was said of a node. Costs and notes don't end it.
function apply(state, e) {
  state.k += 1;
  state.seq = e.q ?? state.seq + 1;
  state.last = e;
  if ('l' in e) state.line = e.l;
  const node = e.n === undefined ? undefined : state.nodes[e.n];
  if (SAID_OF_NODES.has(e.k)) state.growing = false;
  if (e.k === '+') addNode(state, e);
  else if (e.k === '?' && node) {
    node.reward = e.r;
    node.failed = e.r === null;
    node.score = e.r === null ? null : (e.a ?? e.r);
    node.scoredAt = state.k;
    tell(state, node, 'verdicts', e.V ?? null);
  } else if (e.k === 'x' && node) {
    node.pruned = e.y;
    if (e.y !== 'duplicate') state.decidedAt[node.iteration] = state.k;
  } else if (e.k === '>') turnTo(state, e);
  else if (e.k === '^' && node) backUp(state, node);
  else if (e.k === '~' && node) tell(state, node, 'ahead', { steps: e.c, text: e.t ?? '' });
  else if (e.k === 'f' && node) {
    const accepted = e.A === undefined ? null : e.A === 1;
    tell(state, node, 'feedback', [...node.feedback, { by: e.b, accepted, text: e.t ?? '' }]);
  } else if (e.k === '$') addCost(state.cost, e);
  else if (e.k === 'i') state.notes.push(e.t);
  else if (e.k === '!') state.start = e;
  else if (e.k === '=') state.answer = e;
  else if (e.k === '@') {
    state.grades.push(e);
    for (const n of e.N ?? []) state.right.set(n, e.c);
    if (state.answer && state.answer.w === e.w) state.right.set(state.answer.n, e.c);
  } else if (e.k === '.') state.end = e;
  return state;
}

const SAID_OF_NODES = new Set('?x>^~f');

function tell(state, node, fact, value) {
  node[fact] = value;
  if (value !== null) state.told.add(fact);
}

// A run of selections: what is not announced again is forgotten.
function turnTo(state, e) {
  const among = (e.s ?? []).reduce((sum, share) => sum + share, 0);
  e.N.forEach((n, i) => {
    const node = state.nodes[n];
    if (!node) return;
    const share = e.s?.[i] ?? null;
    tell(state, node, 'visits', e.v?.[i] ?? null);
    tell(state, node, 'value', e.u?.[i] ?? null);
    tell(state, node, 'share', share === null ? null : { own: share, of: among });
    tell(state, node, 'weight', e.w?.[i] ?? null);
  });
}

// Each child of `node` that was scored and never visited is visited once, and all above it count that (see viz/selections.py).
function backUp(state, node) {
  const fresh = node.kids.filter((kid) => (kid.visits === null || kid.value === null) && kid.scoredAt !== null
    && kid.pruned !== 'duplicate');
  const scores = fresh.map((kid) => Math.max(kid.score ?? 0, 0));
  const sum = scores.reduce((total, score) => total + score, 0);
  fresh.forEach((kid, i) => visit(state, kid, 1, scores[i]));
  for (let at = node; at; at = at.parent) visit(state, at, fresh.length, sum);
}

function visit(state, node, times, sum) {
  const known = node.visits !== null && node.value !== null;
  const total = (known ? node.visits * node.value : 0) + sum;
  tell(state, node, 'visits', (known ? node.visits : 0) + times);
  tell(state, node, 'value', node.visits ? total / node.visits : null);
  node.share = node.weight = null;
}

function addNode(state, e) {
  const parent = state.nodes[e.p];
  if (!parent || e.n !== state.nodes.length) return;
  if (!state.growing) {
    state.growing = true;
    state.iteration += 1;
    state.iterations.push([]);
    state.starts.push(state.k - 1);
    state.decidedAt.push(0);
  }
  const path = parent.n === 0 ? String(e.c) : parent.path + '.' + e.c;
  const node = { n: e.n, parent, c: e.c, depth: parent.depth + 1, path, text: e.t, kids: [], iteration: state.iteration,
    score: null, reward: null, scoredAt: null, failed: false, pruned: null, terminal: e.z === 1, cutOff: e.e === 'L',
    answer: e.w ?? null, ...UNTOLD };
  const revised = state.nodes[e.R];
  if (revised) {
    tell(state, node, 'revises', revised);
    revised.revised = [...revised.revised, node];
  }
  parent.kids.push(node);
  state.nodes.push(node);
  state.iterations[state.iteration].push(e.n);
}

// Sums of both models; the verifier's apart too.
function addCost(cost, e) {
  const [sampled, forwarded, megaflops, seconds] = e.v ?? e.p;
  for (const sum of e.v ? [cost, cost.verifier] : [cost]) {
    sum.sampled += sampled;
    sum.forwarded += forwarded;
    sum.flops += megaflops * 1e6;
    sum.seconds += seconds;
  }
}

// What became of a node. A step is kept once something grew from it, or once others of its iteration were ruled out after it
// was scored and it was not.
function fateOf(state, node) {
  if (state.answer && state.answer.n === node.n) return 'selected';
  if (node.pruned !== null) return node.pruned === 'duplicate' ? 'duplicate' : 'pruned';
  if (node.terminal) return 'finished';
  if (node.kids.length || (node.scoredAt !== null && node.scoredAt < state.decidedAt[node.iteration])) return 'kept';
  return node.n > 0 && node.scoredAt === null && state.start && state.start.v ? 'waiting' : 'open';
}

// Right (true), wrong (false), not known (null), or not graded (undefined).
const gradeOf = (state, node) => state.right.get(node.n);

function pathTo(node) {
  const path = [];
  for (let at = node; at.parent; at = at.parent) path.unshift(at);
  return path;
}

// The candidates of the current iteration: its nodes, less those that another node of the same iteration continues (an answer
// sampled to its end is one candidate, not one for each of its steps).
function candidatesOf(state) {
  const ours = state.iterations[state.iteration].map((n) => state.nodes[n]);
  return ours.filter((node) => !node.kids.some((kid) => kid.iteration === node.iteration));
}

// The node that a reader wants to see when nobody chose one: the answer, else the best of the newest scored iteration.
function focusOf(state) {
  if (state.answer) return state.nodes[state.answer.n];
  for (let i = state.iteration; i > 0; i -= 1) {
    const nodes = state.iterations[i].map((n) => state.nodes[n]);
    const scored = nodes.filter((node) => node.score !== null && node.pruned === null);
    if (scored.length) return scored.reduce((best, node) => (node.score > best.score ? node : best));
  }
  return state.nodes[state.nodes.length - 1];
}

// The log as it arrives: complete lines become events; a line cut in the middle waits for its end.
class Log {
  constructor() {
    this.text = '';
    this.read = 0;
    this.events = [];
  }

  follows(text) {
    return text.length >= this.text.length && text.startsWith(this.text);
  }

  take(text) {
    this.text = text;
    for (let end = text.indexOf('\n', this.read); end >= 0; end = text.indexOf('\n', this.read)) {
      const line = text.slice(this.read, end);
      this.read = end + 1;
      try {
        const event = JSON.parse(line);
        if (event && typeof event.k === 'string') this.events.push(event);
      } catch { /* a line that is no event says nothing */ }
    }
  }
}

// state(k), going forward from the last one asked for and from the start when going back.
class Fold {
  constructor(log) {
    this.log = log;
    this.state = blankState();
  }

  at(k) {
    if (k < this.state.k) this.state = blankState();
    while (this.state.k < k) apply(this.state, this.log.events[this.state.k]);
    return this.state;
  }
}
