// What the search has cost at this point: each figure with the verifier's part of it, and how many greedy answers that would buy.

const COSTS = ['Sampled tokens', 'Forwarded tokens', 'FLOPs', 'Model time', 'Nodes', 'In greedy answers'];
const amount = (times) => (times >= 9.95 ? Math.round(times).toLocaleString('en') : times.toFixed(1).replace(/\.0$/, ''));

class CostPanel {
  constructor(card) {
    const list = card.querySelector('dl');
    this.cells = COSTS.map((name) => {
      const made = { value: html('dd', '', '0'), part: html('dd', 'part', ' ') };
      const pair = html('div');
      pair.append(html('dt', '', inWords(name)), made.value, made.part);
      list.append(pair);
      return made;
    });
  }

  // `worth` is {own, large, name}: FLOPs of a greedy answer of this model, and of the largest bundled one; null while not known.
  show(state, worth) {
    const { cost } = state;
    const { verifier } = cost;
    const share = cost.flops > 0 ? `, ${Math.round((100 * verifier.flops) / cost.flops)} %` : '';
    const judged = Boolean(state.start?.v);
    const figures = [
      [cost.sampled.toLocaleString('en'), judged ? `verifier ${verifier.sampled.toLocaleString('en')}` : ''],
      [cost.forwarded.toLocaleString('en'), judged ? `verifier ${verifier.forwarded.toLocaleString('en')}` : ''],
      [human(cost.flops, ''), judged ? `verifier ${human(verifier.flops, '')}${share}` : ''],
      [cost.seconds.toFixed(1) + ' s', judged ? `verifier ${verifier.seconds.toFixed(1)} s` : ''],
      [(state.nodes.length - 1).toLocaleString('en'), `${many(state.nodes.filter((node) => node.terminal).length, 'finished', 'finished')}`],
      this.worth(cost.flops, worth),
    ];
    this.cells.forEach((cell, i) => {
      put(cell.value, figures[i][0]);
      put(cell.part, figures[i][1]);
    });
  }

  worth(flops, worth) {
    if (!(worth?.own > 0) || !(flops > 0)) return ['–', ''];
    const large = worth.large > 0 ? `, ${amount(flops / worth.large)} of ${worth.name}` : '';
    return [amount(flops / worth.own), `of this model${large}`];
  }
}
