// The position k on the log, and what moves it: buttons, slider, play and follow. It knows nothing of what an event means.

const EVENTS_A_SECOND = 8;

class Transport {
  constructor(card, log, changed) {
    Object.assign(this, { card, log, changed, k: 0, playing: false, follow: false, live: false });
    [this.slider, this.place, this.speed] = ['.scrubber', '.place', '.speed select'].map((name) => card.querySelector(name));
    this.slider.addEventListener('input', () => this.go(Number(this.slider.value)));
  }

  get total() { return this.log.events.length; }

  // The log grew (or is a new one): a recording is shown at its end, a live search is followed.
  grown(fresh, live) {
    if (fresh) {
      this.stop();
      this.follow = live;
      this.k = live ? 0 : this.total;
    }
    const ended = this.live && !live;
    this.live = live;
    if (this.follow) this.k = this.total;
    if (ended) this.follow = false;
    this.changed();
  }

  go(k) {
    this.stop();
    this.k = Math.max(0, Math.min(this.total, k));
    this.follow = this.live && this.k === this.total;
    this.changed();
  }

  // To the next or the last of the places where an iteration begins.
  jump(starts, forward) {
    const places = [...starts.slice(1), this.total];
    this.go(forward ? places.find((k) => k > this.k) ?? this.total : places.reverse().find((k) => k < this.k) ?? 0);
  }

  toggleFollow() {
    if (!this.live) return;
    this.stop();
    this.follow = !this.follow;
    if (this.follow) this.k = this.total;
    this.changed();
  }

  togglePlay() {
    if (this.playing) this.stop();
    else if (this.total) {
      if (this.k >= this.total) this.k = 0;
      this.playing = true;
      this.follow = false;
      let before = performance.now();
      let due = 0;
      const frame = (now) => {
        if (!this.playing) return;
        due += (Math.max(0, now - before) / 1000) * EVENTS_A_SECOND * Number(this.speed.value);
        before = now;
        const events = Math.floor(due);
        due -= events;
        if (events) this.k = Math.min(this.total, this.k + events);
        if (this.k >= this.total) {
          this.playing = false;
          this.follow = this.live;
        }
        if (events) this.changed();
        if (this.playing) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }
    this.changed();
  }

  stop() { this.playing = false; }

  show() {
    const { total, k } = this;
    mark(this.slider, 'max', total);
    if (Number(this.slider.value) !== k) this.slider.value = k;
    const place = inWords('event {k} of {all}', { k, all: total });
    mark(this.slider, 'aria-valuetext', place);
    put(this.place, place);
    const play = this.card.querySelector('.play');
    mark(play, 'aria-label', inWords(this.playing ? 'Pause' : 'Play'));
    play.classList.toggle('playing', this.playing);
    const follow = this.card.querySelector('[data-do=follow]');
    mark(follow, 'aria-pressed', this.follow);
    follow.disabled = !this.live;
    const off = { first: k === 0, back: k === 0, next: k === total, last: k === total, play: total === 0 };
    for (const name in off) mark(this.card.querySelector(`[data-do=${name}]`), 'aria-disabled', off[name]);
  }
}
