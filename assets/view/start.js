// Puts the parts together: the log comes in by the component's properties, the reader's wishes by clicks and keys, and one
// frame at most a time draws state(k). `element`, `props`, `server`, `trigger` and `watch` are given by the page.

const REST = 250;                                // ms
const LONG_PATH = 40;                            // steps; longer ones are written out once the reader rests
const outer = element.closest('.block') ?? element;
const part = (name) => element.querySelector(name);
const reader = { cursor: null, pinned: null };   // node numbers; null lets the view choose
let log = new Log();
let past = new Fold(log);                        // at k
let known = new Fold(log);                       // at the end of the log, with a layout that grows with it
let layout = new Layout();
let drafts = {};
let waiting = false;
let full = new Map();                            // path -> what the server said of it; and what was asked
let situation = 'empty';
let lastLook = 0;
let toFit = false;                               // a recording fills its pane; a live tree stays where it grows
let fitted = false;                              // it does, until the reader zooms
let moved = { to: -1, on: false, rest: 0 };      // where on the log the reader was last drawn
let sought = false;                              // a link named a node, which is not in sight yet

const transport = new Transport(part('.transport'), log, () => schedule());
const picture = new Picture(part('.pane'), part('.legend'));
const linking = new LinkButton(part('.transport'));
const madePanels = () => ({
  strategy: new StrategyPanel(part('.strategy')), answer: new AnswerPanel(part('.answer')),
  cost: new CostPanel(part('.cost')), candidates: new CandidatesPanel(part('.candidates')),
  detail: new DetailPanel(part('.detail')), remarks: new RemarksPanel(part('.remarks')),
  drawing: new DrawingPanel(part('.drawing')), others: new OthersPanel(part('.others')),
});
let panels = madePanels();

function take() {
  const text = typeof props.value === 'string' ? props.value : '';
  const another = log.text !== '' && (!log.follows(text) || log.session !== props.session);
  const fresh = another || log.events.length === 0;
  if (another) {
    log = new Log();
    past = new Fold(log);
    known = new Fold(log);
    layout = new Layout();
    full = new Map();
    Object.assign(reader, { cursor: null, pinned: null });
    transport.log = log;
    picture.clear();
  }
  log.session = props.session;
  log.take(text);
  while (known.state.k < log.events.length) {
    const before = known.state.nodes.length;
    const state = known.at(known.state.k + 1);
    if (state.nodes.length > before) layout.add(state, state.nodes[before]);
  }
  drafts = readDrafts();
  const ended = known.state.end !== null;
  situation = !log.events.length ? 'empty' : ended ? 'done' : props.interrupted === true ? 'interrupted' : 'live';
  if (fresh) toFit = fitted = situation === 'done' || situation === 'interrupted';
  if (fresh && situation === 'live') picture.plain();
  transport.grown(fresh, situation === 'live');
  if (fresh && log.events.length) openAt(readJson(props.opens, {}));
}

// What a link asks for, once, when its session is first shown: an event, a node, the table first.
function openAt({ at, node, view }) {
  if (Number.isInteger(at)) transport.go(placeOf(at));
  const named = typeof node === 'string' ? known.state.nodes.find((one) => one.path === node) : undefined;
  if (named) {
    reader.cursor = named.n;
    sought = true;
  }
  if (view === 'table') part('.panels').prepend(part('.candidates'));
  mark(part('.panels'), 'data-view', view === 'table' ? 'table' : 'tree');
}

// How many events there are up to that seq.
function placeOf(wanted) {
  let seq = -1;
  const past = log.events.findIndex((event) => (seq = event.q ?? seq + 1) > wanted);
  return past < 0 ? transport.total : past;
}

function readDrafts() {
  try {
    const read = JSON.parse(props.drafts || '{}');
    return read && typeof read === 'object' ? read : {};
  } catch { return {}; }
}

function schedule() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

const present = () => (transport.k === known.state.k ? known.state : past.at(transport.k));
const existing = (state, n) => (n !== null && n < state.nodes.length ? state.nodes[n] : null);

function draw() {
  const state = present();
  const atEnd = state.k === known.state.k;
  const chosen = existing(state, reader.cursor) ?? focusOf(state);
  const shown = existing(state, reader.pinned) ?? chosen;
  const now = atEnd ? situation : situation === 'empty' ? 'empty' : 'live';
  const following = transport.follow && situation === 'live';
  mark(element.firstElementChild, 'data-empty', situation === 'empty');
  const inTree = picture.svg.contains(document.activeElement);
  const view = { cursor: chosen.n, drafts: following ? drafts : {} };
  if (toFit) picture.columns.shorten(known.state, picture.pane.clientWidth / 0.9);
  picture.size(known.state, layout, Object.keys(view.drafts).length > 0);
  if (toFit) picture.fit(picture.columns.labels ? 0.9 : 0.8, 1.35);
  if (toFit || following) picture.pane.classList.toggle('whole', toFit);
  toFit = false;
  const look = following ? state.nodes[state.nodes.length - 1] : chosen;
  if (sought || (reader.cursor === null && look.n !== lastLook)) picture.show(sought ? chosen : look, layout);
  picture.draw(state, layout, known.state, view);
  if (inTree && !picture.svg.contains(document.activeElement)) picture.focus(chosen);   // what had it is gone at k
  sought = false;
  lastLook = look.n;
  part('[data-do=bunches]').hidden = !picture.bunching;
  transport.show();
  about();
  panels.strategy.show(state, known.state);
  panels.answer.show(state, now, String(props.baseline ?? ''));
  panels.others.show(state.end ? String(props.others ?? '') : '');
  panels.cost.show(state, readJson(props.worth, null));
  linking.show(situation === 'empty' ? '' : props.session);
  panels.remarks.show(state);
  panels.candidates.show(state, known.state, chosen.n);
  const passing = underWay(state.k);
  const settled = !passing && (reader.cursor !== null || (!transport.playing && !following));
  if (settled) fetchFull(shown);
  panels.drawing.show(situation === 'empty' ? '' : full.get(shown.path)?.drawing, shown);
  if (!passing || shown.depth <= LONG_PATH) panels.detail.show(state, situation === 'empty' ? null : shown, full.get(shown.path), reader.pinned !== null);
  say(statusWords(state, now));
  for (const root of [outer, element.firstElementChild]) {
    mark(root, 'data-seq', state.seq);
    mark(root, 'data-state', situation);
  }
}

function about() {
  const { start } = known.state;
  put(part('.problem'), start ? start.p : inWords('The search'));
  part('.problem').classList.toggle('grid', /\n.*#.*\n/.test(start ? start.p : ''));
  const verifier = start?.v ? inWords('verifier {name}', { name: start.v }) : inWords('no verifier');
  const who = start ? [start.s.replaceAll('_', ' '), inWords('policy {name}', { name: start.o }), verifier] : [];
  put(part('.who'), who.join(' · '));
}

// Whether the reader moved along the log less than REST ms ago. What is slow waits until then.
function underWay(k) {
  if (k !== moved.to) {
    clearTimeout(moved.rest);
    moved = { to: k, on: true, rest: setTimeout(() => { moved.on = false; schedule(); }, REST) };
  }
  return moved.on;
}

// The status line: polite, and at most one sentence a second.
let said = -1000;
let saying = 0;
function say(words) {
  clearTimeout(saying);
  const wait = said + 1000 - performance.now();
  const speak = () => {
    if (part('.now').textContent === words) return;
    said = performance.now();
    put(part('.now'), words);
  };
  if (wait > 0) saying = setTimeout(speak, wait);
  else speak();
}

// Ask for the full texts of a node, once for each thing that became known of it.
async function fetchFull(node) {
  const { path } = node;
  const memory = full;
  const said = `${path} ${node.feedback.length} ${node.verdicts?.[1] ?? 0} ${node.ahead !== null}`;
  const held = memory.get(path);
  if (situation === 'empty' || memory.has(said) || (held && toldWhole(node, held)) || typeof server?.node_detail !== 'function') return;
  memory.set(said, true);
  try {
    const told = await server.node_detail(props.session ?? '', path);
    if (told && Array.isArray(told.steps) && (told.steps.length || told.drawing)) memory.set(path, { ...told, has: said });
  } catch { /* the cut text of the log stays */ }
  if (memory === full && memory.get(path)) schedule();
}

function choose(node, focus) {
  reader.cursor = node.n;
  if (picture.bunching && node.parent && node.pruned !== null) picture.opened.add(node.parent.n);
  fetchFull(node);
  if (focus) picture.show(node, layout);
  draw();
  if (focus) picture.focus(node);
  // Not "path": the page's server takes a value with such a key for a file.
  trigger('node_select', { session: props.session ?? '', node: node.path });
}

function best() {
  reader.cursor = null;
  choose(focusOf(present()), true);
}

const actions = {
  first: () => transport.go(0),
  back: () => transport.go(transport.k - 1),
  play: () => transport.togglePlay(),
  next: () => transport.go(transport.k + 1),
  last: () => transport.go(transport.total),
  follow: () => transport.toggleFollow(),
  best,
  link: () => {
    const state = present();
    const atEnd = state.k === known.state.k;
    linking.press(linkTo(props.session, atEnd ? null : state.seq, existing(state, reader.cursor)?.path ?? null));
  },
  unpin: () => { reader.pinned = null; schedule(); },
  in: () => zoom(picture.zoom * 1.25),
  out: () => zoom(picture.zoom / 1.25),
  fit: () => {
    fitted = false;
    picture.fit(0.2, 1.5);
    schedule();
  },
  bunches: () => {
    const open = picture.opened.size === 0;
    picture.opened = new Set(open ? known.state.nodes.map((node) => node.n) : []);
    mark(part('[data-do=bunches]'), 'aria-pressed', open);
    schedule();
  },
};

// What comes into sight is drawn then, where the tree is too large to stand in the page whole.
picture.pane.addEventListener('scroll', () => picture.partly && schedule(), { passive: true });

function zoom(scale) {
  fitted = false;
  picture.zoom = Math.max(0.2, Math.min(3, scale));
  schedule();
}

element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  const head = event.target.closest('[data-sort]');
  const bunch = event.target.closest('[data-parent]');
  const place = event.target.closest('[data-n]');
  if (button) actions[button.dataset.do]();
  else if (head) {
    panels.candidates.sort(head.dataset.sort);
    schedule();
  } else if (bunch) {
    picture.opened.add(Number(bunch.dataset.parent));
    schedule();
  } else if (place) {
    const node = existing(present(), Number(place.dataset.n));
    reader.pinned = null;
    if (node) choose(node, place.closest('svg') !== null);
  } else if (event.target.closest('.pane')) {
    const node = picture.nodeAt(event.clientX, event.clientY);
    if (!node) return;
    reader.pinned = null;
    choose(node, true);
  }
});

element.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea')) return;
  const onButton = event.target.closest('button') !== null;
  const inTree = event.target.closest('[role=tree]') !== null;
  const act = keys[event.key] ?? (inTree ? moves[event.key] : undefined);
  if (!act || (onButton && (event.key === ' ' || event.key === 'Enter'))) return;
  event.preventDefault();
  act();
});

const keys = {
  '.': actions.next, ',': actions.back, ' ': actions.play, f: actions.follow, b: best,
  '>': () => transport.jump(known.state.starts, true), '<': () => transport.jump(known.state.starts, false),
  Escape: () => { Object.assign(reader, { cursor: null, pinned: null }); schedule(); },
};

// Within the tree: children to the right, the parent to the left, neighbours of the same column above and below.
const moves = {
  ArrowRight: () => step((at) => at.kids.find((kid) => !picture.hidden.has(kid))),
  ArrowLeft: () => step((at) => at.parent),
  ArrowUp: () => step((at) => neighbour(at, -1)),
  ArrowDown: () => step((at) => neighbour(at, 1)),
  Home: () => step(() => present().nodes[0]),
  Enter: () => {
    const at = current();
    reader.pinned = reader.pinned === at.n ? null : at.n;
    choose(at, true);
  },
};

const current = () => existing(present(), reader.cursor) ?? focusOf(present());

function step(to) {
  const node = to(current());
  if (node) choose(node, true);
}

function neighbour(at, direction) {
  const row = layout.row(at);
  const column = present().nodes.filter((node) => node.depth === at.depth && !picture.hidden.has(node));
  const side = column.filter((node) => (layout.row(node) - row) * direction > 0);
  return side.sort((a, b) => (layout.row(a) - layout.row(b)) * direction)[0];
}

// Several views in step have one transport outside: it sets each to the last event up to a seq.
outer.addEventListener('search:go', ({ detail }) => {
  transport.go(placeOf(detail));
});

// The page around may change the pane's size after the first frame: a sidebar that opens, a phone that is turned.
new ResizeObserver(() => {
  if (!fitted || !picture.pane.clientWidth) return;
  toFit = true;
  lastLook = -1;
  schedule();
}).observe(picture.pane);

// In another language all is said anew.
let spoken = language();
if (typeof whenLanguageChanges === 'function') whenLanguageChanges(() => {
  if (spoken === language()) return;
  spoken = language();
  picture.clear();
  picture.legend = new Legend(part('.legend'));
  panels = madePanels();
  schedule();
});

watch(['value', 'drafts', 'session', 'interrupted', 'baseline', 'others', 'worth'], take);
take();
