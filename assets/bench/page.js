// What `tts-explorer bench page` measures from inside the page. The browser is given it before the page's own scripts; it
// leans on nothing but roles, names and the data attributes that the views set once they have drawn.

const bench = {
  patience: 100_000,           // ms that anything may take; the machine may be busy
  view: () => document.querySelector('#search-view[data-state]'),
  seq: () => Number(bench.view()?.dataset.seq ?? -1),
  nodes: () => [...document.querySelectorAll('#search-view [role=treeitem]')].filter((node) => node.dataset.path !== ''),

  // After the next frame was painted: the time.
  painted: () => new Promise((done) => {
    requestAnimationFrame(() => setTimeout(() => done(performance.now())));
  }),

  // When `test` holds and the frame that shows it was painted; it is tried whenever a view has drawn
  // (two searches may end at the same event, so what they say of themselves is not enough).
  until: (test) => new Promise((done, failed) => {
    const watcher = new MutationObserver(() => look());
    const alarm = setTimeout(() => {
      watcher.disconnect();
      failed(new Error(`nothing came in ${bench.patience / 1000} s: ${document.querySelector('#message')?.textContent.trim() ?? ''}`));
    }, bench.patience);
    const look = () => {
      if (!test()) return;
      watcher.disconnect();
      clearTimeout(alarm);
      bench.painted().then(done);
    };
    watcher.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-seq', 'data-state', 'data-asked'] });
    look();
  }),

  // A search that is over, whole on the page: ms since the page was asked for, and since its first byte.
  async shown() {
    const drawn = await bench.recorded;
    return [drawn, drawn - performance.getEntriesByType('navigation')[0].responseStart];
  },

  // Press Start; ms to the first candidate.
  async start() {
    const before = new Set(bench.nodes());
    const begun = performance.now();
    document.querySelector('#start').click();
    return await bench.until(() => bench.nodes().some((node) => !before.has(node))) - begun;
  },

  ended: () => bench.until(() => bench.view()?.dataset.state === 'done'),
  drawn: (seq) => bench.until(() => bench.seq() >= seq),

  // Drag the scrubber from end to end and back, once a second each way: ms of each frame.
  async scrub(seconds) {
    const slider = bench.view().querySelector('.scrubber');
    const total = Number(slider.max);
    const begun = performance.now();
    const frames = [begun];
    while (frames.at(-1) < begun + 1000 * seconds) {
      const swing = ((frames.at(-1) - begun) / 1000) % 2;
      slider.value = Math.round(total * Math.abs(1 - swing));
      slider.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise(requestAnimationFrame);
      frames.push(performance.now());
    }
    return frames.slice(1).map((at, i) => at - frames[i]);
  },

  // Ask the list of sessions for what the fields say, or for its last page; ms to the rows.
  async find(fields) {
    const shelf = document.querySelector('.shelf');
    const form = shelf.querySelector('form.bar');
    form.reset();
    for (const name in fields) if (name !== 'last') shelf.querySelector(`[name=${name}]`).value = fields[name];
    const asked = shelf.dataset.asked;
    const begun = performance.now();
    if (fields.last) shelf.querySelector('.pages [data-do=last]').click();
    else form.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
    const drawn = await bench.until(() => shelf.dataset.asked !== asked);
    return [drawn - begun, shelf.querySelectorAll('tbody > tr[data-id]').length];
  },

  listed: () => bench.until(() => document.querySelector('.shelf[data-asked]')),
};
bench.recorded = bench.ended();
bench.recorded.catch(() => {});  // asked for on some pages only
window.bench = bench;
