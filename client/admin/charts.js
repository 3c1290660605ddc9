// Bars as SVG, without a library. Each has its figures as a title and as text for who cannot see it.

const NS = 'http://www.w3.org/2000/svg';

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// rows: [{label, values: [n, …]}]; names: what the values are; every: show each n-th label
export function bars(title, names, rows, every = 1) {
  const width = 480, height = 170, left = 30, bottom = 20;
  const most = Math.max(1, ...rows.flatMap((r) => r.values));
  const step = (width - left) / Math.max(1, rows.length);
  const chart = svg('svg', { viewBox: `0 0 ${width} ${height}`, class: 'chart', role: 'img', 'aria-label': `${title}: ${rows.map((r) => `${r.label} ${r.values.join(' and ')}`).join(', ')}` });
  for (const part of [0, 0.5, 1]) {
    const y = 8 + (height - bottom - 8) * (1 - part);
    chart.append(svg('line', { x1: left, x2: width, y1: y, y2: y, class: 'axis' }),
      svg('text', { x: left - 5, y: y + 3, 'text-anchor': 'end' }, String(Math.round(most * part * 10) / 10)));
  }
  rows.forEach((r, i) => {
    const each = Math.min(26, (step * 0.76) / r.values.length);
    r.values.forEach((value, k) => {
      const size = ((height - bottom - 8) * value) / most;
      const bar = svg('rect', { x: left + i * step + (step - each * r.values.length) / 2 + k * each, y: height - bottom - size, width: Math.max(1, each - 1), height: size, rx: 2, class: k ? 'bar second' : 'bar' });
      bar.append(svg('title', {}, `${r.label}: ${value} ${names[k] ?? ''}`));
      chart.append(bar);
    });
    if (i % every === 0) chart.append(svg('text', { x: left + (i + 0.5) * step, y: height - 5, 'text-anchor': 'middle' }, r.label));
  });
  return chart;
}
