// One clock for several trees: the position t goes to each of them as the last event that had happened by then.
// The value is JSON, [{lane, tokens, iterations, seconds}], each clock a list of [value, seq of the last event at that value].

const part = (name) => element.querySelector(name);
const slider = part('.scrubber');
const LASTS = { tokens: 16, iterations: 8, seconds: 16 };   // seconds that a whole run takes at 1×
const STEP = { tokens: '1', iterations: '1', seconds: '0.01' };
let lanes = [];
let unit = 'tokens';
let t = 0;
let playing = false;

const ends = () => lanes.map((lane) => lane[unit][lane[unit].length - 1][0]);
const total = () => Math.max(0, ...ends());

function take() {
  let read = [];
  try {
    read = JSON.parse(props.value || '[]');
  } catch { /* nothing to show */ }
  lanes = Array.isArray(read) ? read.filter((lane) => lane.tokens.length) : [];
  t = total();
  draw();
}

// The last event by `at`, on one lane.
function reached(ticks, at) {
  let low = 0;
  let high = ticks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ticks[middle][0] <= at + 1e-9) low = middle;
    else high = middle - 1;
  }
  return ticks[low][0] <= at + 1e-9 ? ticks[low][1] : -1;
}

function go(to, still = true) {
  if (still) playing = false;
  t = Math.max(0, Math.min(total(), to));
  for (const lane of lanes) {
    const view = document.getElementById(`lane-${lane.lane}`);
    view?.dispatchEvent(new CustomEvent('search:go', { detail: reached(lane[unit], t) }));
  }
  draw();
}

// To the nearest place before or after t where something happens on some lane.
function step(direction) {
  const places = lanes.flatMap((lane) => lane[unit].map(([value]) => value)).filter((value) => (value - t) * direction > 1e-9);
  if (places.length) go(direction > 0 ? Math.min(...places) : Math.max(...places));
}

function play() {
  if (playing || !lanes.length) {
    playing = false;
    return draw();
  }
  if (t >= total()) go(0);
  playing = true;
  let before = performance.now();
  const frame = (now) => {
    if (!playing) return;
    const pace = total() / LASTS[unit];
    const to = t + (Math.max(0, now - before) / 1000) * pace * Number(part('.speed').value);
    before = now;
    go(to, false);
    if (t >= total()) playing = false;
    if (playing) requestAnimationFrame(frame);
    else draw();
  };
  requestAnimationFrame(frame);
  draw();
}

// Where the lanes end, as parts of the whole; those that end close together share a mark.
function together() {
  const groups = [];
  const sorted = lanes.map((lane, i) => ({ name: lane.lane, at: total() ? ends()[i] / total() : 0 })).sort((a, b) => a.at - b.at);
  for (const { name, at } of sorted) {
    const last = groups[groups.length - 1];
    if (last && at - last.at < 0.05) last.names.push(name);
    else groups.push({ at, names: [name] });
  }
  return groups;
}

const spelt = (value) => (unit === 'seconds' ? value.toFixed(2) : Math.floor(value).toLocaleString(languageNow()));

function draw() {
  slider.max = total();
  slider.step = STEP[unit];
  slider.value = t;
  const place = tr('{t} of {all}', { t: spelt(t), all: spelt(total()) });
  slider.setAttribute('aria-valuetext', `${place} ${tr(unit)}`);
  part('.at').textContent = place;
  part('.of').textContent = tr(unit);
  const button = part('.play');
  button.setAttribute('aria-label', tr(playing ? 'Pause' : 'Play'));
  button.classList.toggle('playing', playing);
  const over = lanes.filter((lane, i) => ends()[i] <= t + 1e-9).map((lane) => lane.lane.toUpperCase());
  const running = lanes.length - over.length;
  const words = !over.length ? tr('All are under way.') : running ? tr('Ended: {lanes}.', { lanes: over.join(', ') }) : tr('All have ended.');
  if (part('.now').textContent !== words) part('.now').textContent = words;
  const marks = part('.ends');
  if (marks.dataset.unit !== unit || marks.childElementCount !== lanes.length) {
    marks.dataset.unit = unit;
    marks.replaceChildren(...together().map(({ at, names }) => {
      const mark = document.createElement('span');
      mark.textContent = names.join(' ').toUpperCase();
      if (names.length === 1) mark.className = `lane-${names[0]}`;
      mark.style.setProperty('--at', at);
      return mark;
    }));
  }
  element.firstElementChild.dataset.at = String(t);
}

const actions = { first: () => go(0), back: () => step(-1), play, next: () => step(1), last: () => go(total()) };

element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do]');
  if (button) actions[button.dataset.do]();
});
slider.addEventListener('input', () => go(Number(slider.value)));
part('.unit').addEventListener('change', (event) => {
  const done = total() ? t / total() : 1;
  unit = event.target.value;
  go(done * total());
});

part('.details').addEventListener('change', (event) => {
  document.getElementById('lanes')?.classList.toggle('details', event.target.checked);
});

// The trees' own keys would set one of them apart from the others.
const keys = { ' ': play, ',': actions.back, '.': actions.next };
document.addEventListener('keydown', (event) => {
  const act = keys[event.key];
  const ours = element.contains(event.target) || event.target.closest?.('#lanes');
  if (!act || !ours || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('button, a, input, select, textarea, summary')) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}, true);

whenLanguageChanges(draw);
watch('value', take);
take();
