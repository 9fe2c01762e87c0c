// Small pieces that the rest is made of: text into elements (never as HTML), numbers and times as people read them, links.

const part = (name) => element.querySelector(name);
const every = (name) => [...element.querySelectorAll(name)];
const copy = (name) => part(`template.${name}`).content.firstElementChild.cloneNode(true);

function put(node, text) {
  const words = text === null || text === undefined ? '' : String(text);
  if (node.textContent !== words) node.textContent = words;
  return node;
}

function show(node, shown) {
  node.hidden = !shown;
  return node;
}

const many = trMany;

function short(number) {
  for (const [size, prefix] of [[1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    if (number >= size) return `${Number((number / size).toPrecision(3))} ${prefix}`;
  }
  return `${Number(number.toPrecision(3))} `;
}

function clock(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (number) => String(number).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

// A day of the visitor's own calendar, as the moment it begins in UTC; `days` later.
function dayBegins(day, days = 0) {
  const [year, month, date] = day.split('-').map(Number);
  const at = new Date(year, month - 1, date + days);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}

// Pages of this site lie side by side: links are relative, so that they hold wherever it is served.
const home = () => location.pathname.replace(/[^/]*\/?$/, '');
const page = (name, query) => `${home()}${name}?${query}`;
const openLink = (id) => page('', new URLSearchParams({ session: id }));
const STATES = { done: 'done', budget: 'budget spent', cancelled: 'stopped', failed: 'failed', running: 'running', interrupted: 'interrupted' };
const GRADES = new Map([[true, ['✓', 'right']], [false, ['✗', 'wrong']], [null, ['?', 'not known']]]);
