/* What the custom elements share: generated posters, reactions that all cards agree on, and the
 * verbs a card can ask of the server. Elements are compiled one by one and cannot import each
 * other, so this is one global. */
(() => {
  'use strict';

  /* ---------- posters: genre gives motif and palette, era gives typography ---------- */

  // [ground, shape, accent, ink]; two or more moods a genre, picked by the film's id.
  const PALETTES = {
    Action: [['#1d1a22', '#e4462b', '#f6a93b', '#fbf0dc'], ['#0f2733', '#f26430', '#ffd275', '#f6efe0']],
    Adventure: [['#12403e', '#e9a03b', '#f3dfae', '#fbf3df'], ['#27334f', '#d9763d', '#f4c97e', '#f8efdc']],
    Animation: [['#213a8f', '#ff7a59', '#ffd166', '#fff7e6'], ['#0f6b6b', '#ffb03a', '#f9ece0', '#fffaf0']],
    Children: [['#2f5da8', '#ffcf56', '#ff8a6b', '#fffaf0'], ['#0d7f78', '#ffe08a', '#ff7d6b', '#fffaf0']],
    Comedy: [['#f2b632', '#d83f31', '#24365c', '#241c15'], ['#f3e3c3', '#e2572f', '#1f6f78', '#2a1d16'], ['#ef7d62', '#fbe3b5', '#2d3561', '#231b2b']],
    Crime: [['#17181c', '#b3272d', '#d9c7a0', '#f3ead8'], ['#20242e', '#c9892f', '#7d1f24', '#f4ead6']],
    Documentary: [['#e9e3d6', '#24554a', '#d4722c', '#1d2522'], ['#22352f', '#d8c9a3', '#d4722c', '#f4efe2']],
    Drama: [['#22304a', '#d98f5c', '#f1dcb8', '#f7efe0'], ['#3b2a35', '#c96f5b', '#ecc9a0', '#f8eee0'], ['#e6d8bf', '#8f3b2e', '#2f4858', '#25201c'], ['#1f3d3a', '#cfa15a', '#eadfc4', '#f5eede']],
    Fantasy: [['#221c48', '#7f5fc4', '#f2cf7d', '#f6eefc'], ['#173a4a', '#4fa39a', '#f5d78c', '#f1f6ea']],
    'Film-Noir': [['#141414', '#8f8a80', '#e9e2d0', '#f4efe2'], ['#1a1c20', '#6d7278', '#d8d2c2', '#f2ede0']],
    Horror: [['#130d10', '#a3161d', '#e8dcc8', '#f2e7d6'], ['#0f1a17', '#3f7f56', '#d9e0b8', '#eef0dc']],
    Musical: [['#3a1030', '#e34b6f', '#f7c14b', '#fdeede'], ['#0e2f56', '#f0b23f', '#e9556a', '#fbf1df']],
    Mystery: [['#1c2431', '#5d7e8f', '#e4b95a', '#f0ead9'], ['#2a1f33', '#8a5a83', '#e8c07a', '#f4eadf']],
    Romance: [['#5a1a2b', '#e2746b', '#f6cfae', '#fdeee2'], ['#f0d9cc', '#c13e4b', '#37305c', '#321c24'], ['#2c2549', '#e58a7b', '#f4d3b0', '#faeee4']],
    'Sci-Fi': [['#0c1730', '#3f7fd0', '#f2a65a', '#eaf2fb'], ['#0d2430', '#2fb0a4', '#f4d58d', '#e8f6f3'], ['#1d1038', '#b14aed', '#5bd6e8', '#f2eafc']],
    Thriller: [['#151b20', '#d1432f', '#c9d0c8', '#f0efe6'], ['#0f2a2e', '#e0a030', '#9db8b0', '#eef1e8']],
    War: [['#2b2f22', '#a2642f', '#d8c79a', '#f1ead6'], ['#2d2624', '#a83a2b', '#cdbb97', '#f3e9d8']],
    Western: [['#c4602d', '#7a2d1b', '#f5c877', '#fdf0d8'], ['#e0b26b', '#a33b20', '#5a2a1c', '#2b160e']],
  };

  // These look like nothing else, so they decide; of the others the film's id picks one.
  const UNMISTAKABLE = ['Film-Noir', 'Western', 'Sci-Fi', 'Horror', 'Documentary', 'Musical', 'Animation', 'Fantasy'];
  const PLAIN = ['Drama', 'Adventure'];

  const hash = (text) => {
    let h = 2166136261;
    for (const c of String(text)) h = Math.imul(h ^ c.codePointAt(0), 16777619);
    return h >>> 0;
  };

  // Mulberry32: a small generator with a fixed seed, so that a film always has the same poster.
  const dice = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const circle = (x, y, r, fill, more = '') => `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}" ${more}/>`;
  const path = (d, fill, more = '') => `<path d="${d}" fill="${fill}" ${more}/>`;
  const rect = (x, y, w, h, fill, more = '') => `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${fill}" ${more}/>`;
  const ring = (x, y, r, stroke, width, more = '') => `<circle cx="${x}" cy="${y}" r="${r}" fill="none" stroke="${stroke}" stroke-width="${width}" ${more}/>`;
  const polar = (x, y, r, a) => `${(x + r * Math.cos(a)).toFixed(1)} ${(y + r * Math.sin(a)).toFixed(1)}`;
  const wedge = (x, y, r, a, b, fill, more) => path(`M${x} ${y}L${polar(x, y, r, a)}A${r} ${r} 0 0 1 ${polar(x, y, r, b)}Z`, fill, more);
  const ridge = (roll, base, height, steps) => range(steps + 1)
    .map((i) => `L${(i * 200 / steps).toFixed(0)} ${(base - roll() * height).toFixed(0)}`).join('');
  const stars = (roll, n, fill) => range(n).map(() =>
    circle((roll() * 200).toFixed(1), (roll() * 190).toFixed(1), (0.5 + roll() * 1.1).toFixed(2), fill, 'opacity=".85"')).join('');

  // Each motif fills a 200 × 300 sheet and keeps the lower third calm: the title sits there.
  const MOTIFS = {
    Action: (r, [g, a, b]) => {
      if (r() < .5) {
        const y = 60 + r() * 20;
        return range(7).map((i) => path(`M-20 ${y + 96 - i * 20}L220 ${y - i * 20}v${15 - i * 1.6}L-20 ${y + 111 - i * 21.6}z`, [a, b][i % 2], `opacity="${1 - i * .1}"`)).join('')
          + circle(128, 96, 34, b) + path('M128 72l7 16 17 2-13 11 4 17-15-9-15 9 4-17-13-11 17-2z', g);
      }
      const x = 60 + r() * 80, y = 78 + r() * 30, n = 18;
      return range(n).map((i) => wedge(x, y, 260, (i / n) * 6.283, ((i + 0.5) / n) * 6.283, a, 'opacity=".92"')).join('')
        + circle(x, y, 46, b) + path(`M${x - 12} ${y - 30}l22 0l-9 22l16 0l-34 44l9 -32l-14 0z`, a);
    },
    Adventure: (r, [g, a, b]) => circle(60 + r() * 80, 70, 34, b)
      + path(`M0 190${ridge(r, 170, 80, 5)}L200 300L0 300Z`, a, 'opacity=".55"')
      + path(`M0 220${ridge(r, 200, 90, 4)}L200 300L0 300Z`, a)
      + path('M96 196c40 18 -56 30 -6 52s60 22 20 52', 'none', `stroke="${b}" stroke-width="5" stroke-dasharray="2 9" stroke-linecap="round"`)
      + path(`M0 262${ridge(r, 250, 30, 6)}L200 300L0 300Z`, g),
    Animation: (r, [, a, b, ink]) => range(4).map((i) => ring(100, 210, 60 + i * 24, [a, b, ink, a][i], 17)).join('')
      + range(5).map(() => circle(20 + r() * 160, 20 + r() * 60, 4 + r() * 7, b)).join(''),
    Children: (r, [, a, b, ink]) => range(6).map((i) => {
      const x = 26 + i * 30 + r() * 8, y = 44 + r() * 84;
      return path(`M${x} ${y + 20}Q${x + 8} ${y + 70} 100 232`, 'none', `stroke="${ink}" stroke-width="1" opacity=".7"`)
        + `<ellipse cx="${x}" cy="${y}" rx="17" ry="21" fill="${[a, b, ink][i % 3]}"/>`;
    }).join(''),
    Comedy: (r, [g, a, b, ink]) => {
      if (r() < .5) {
        const quarter = [[0, 0, 0], [100, 0, 1], [100, 100, 2], [0, 100, 3]];
        return range(4).map((i) => {
          const [dx, dy, turn] = quarter[Math.floor(r() * 4)];
          const [x, y, from] = [(i % 2) * 100 + dx, (i >> 1) * 100 + dy, turn * 1.5708];
          const [big, small] = [[a, b], [b, a], [ink, a], [b, g]][(i + Math.floor(r() * 3)) % 4];
          return wedge(x, y, 100, from, from + 1.5708, big) + wedge(x, y, 46, from, from + 1.5708, small);
        }).join('');
      }
      const shapes = [
        (x, y) => circle(x, y, 19, a), (x, y) => ring(x, y, 16, b, 7),
        (x, y) => wedge(x, y, 24, 0, 3.1416, b), (x, y) => rect(x - 15, y - 15, 30, 30, a, `transform="rotate(${r() * 60} ${x} ${y})"`),
        (x, y) => path(`M${x - 22} ${y}q7 -14 14 0t14 0t14 0`, 'none', `stroke="${ink}" stroke-width="4" stroke-linecap="round"`),
        (x, y) => path(`M${x} ${y - 18}l17 32h-34z`, ink),
      ];
      return range(12).map((i) => shapes[(i + Math.floor(r() * 2)) % 6](32 + (i % 3) * 68 + (r() - .5) * 16, 30 + Math.floor(i / 3) * 54 + (r() - .5) * 14)).join('');
    },
    Crime: (r, [g, a, b]) => r() < .45
      ? rect(30, 26, 140, 156, b) + range(6).map((i) => rect(30, 50 + i * 22, 140, 1.2, g, 'opacity=".4"')).join('')
        + path('M100 62c-19 0-31 15-31 35c0 26 7 42 3 62M100 76c-11 0-17 9-17 21c0 26 6 42 2 64M100 90c-4 0-5 4-5 9c0 26 4 44 1 66M100 62c19 0 31 15 31 35c0 22-3 38-2 58M100 76c11 0 17 9 17 21c0 22-3 40-3 62M100 90c4 0 5 4 5 9c0 24-3 44-2 64', 'none', `stroke="${a}" stroke-width="5" stroke-linecap="round"`)
      : range(9).map((i) => rect(-40, 14 + i * 25, 290, 9 + (i % 3) * 2, i === 4 ? a : b, `opacity="${i === 4 ? 1 : .16 + .05 * i}" transform="rotate(${-8 + r()} 100 100)"`)).join('')
      + circle(62 + r() * 70, 108, 34, a) + ring(100, 108, 58, b, 1.5) + path('M100 40v136M32 108h136', 'none', `stroke="${b}" stroke-width="1.5"`),
    Documentary: (r, [, a, b]) => range(9).map((i) => path(`M${range(9).map((j) => `${j * 30 - 20} ${(36 + i * 21 + Math.sin(j * .9 + i * .55 + r()) * 13).toFixed(1)}`).join('L')}`, 'none', `stroke="${i === 5 ? b : a}" stroke-width="${i === 5 ? 5 : 2.2}" stroke-linejoin="round"`)).join(''),
    Drama: (r, [g, a, b]) => {
      const kind = Math.floor(r() * 3), x = 70 + r() * 60;
      if (kind === 0) return circle(x, 112, 62, a) + rect(0, 112, 200, 66, g) + range(5).map((i) => rect(x - 58 + i * 9, 121 + i * 11, 116 - i * 18, 4, b)).join('');
      if (kind === 1) return rect(46, 34, 108, 150, b) + rect(54, 42, 92, 134, a) + path('M54 176L120 42H146V176Z', g, 'opacity=".35"') + path('M100 42V176M54 104H146', 'none', `stroke="${b}" stroke-width="5"`) + rect(36, 184, 128, 7, b);
      return range(4).map((i) => wedge(0, 196, 190 - i * 42, -1.5708, 0, [a, b, g, a][i])).join('') + circle(154, 52, 16, b);
    },
    Fantasy: (r, [g, a, b]) => stars(r, 46, b) + circle(130, 66, 32, b) + circle(143, 58, 28, g)
      + path(`M0 220${ridge(r, 190, 100, 6)}L200 300L0 300Z`, a, 'opacity=".6"')
      + path('M60 232V150l10 -22 10 22v20h12v-38l12 -28 12 28v38h12v-20l10 -22 10 22v82z', a)
      + path(`M0 250${ridge(r, 236, 26, 7)}L200 300L0 300Z`, g),
    'Film-Noir': (r, [g, a, b]) => path('M128 0L200 0L150 210L-30 210Z', b, 'opacity=".9"')
      + range(11).map((i) => rect(-20, 8 + i * 19, 240, 8, g)).join('')
      + path('M86 210v-58q0 -14 14 -20q-8 -6 -8 -16h-12q10 -6 12 -14q2 -12 14 -12t14 12q2 8 12 14h-12q0 10 -8 16q14 6 14 20v58z', g)
      + path('M142 118q12 -10 6 -22t4 -24', 'none', `stroke="${a}" stroke-width="2.5" stroke-linecap="round"`),
    Horror: (r, [g, a, b]) => r() < .5
      ? circle(128, 74, 44, b) + path('M20 210V120l-8 4 22 -52 22 52 -8 -4v30h18v-44l-9 5 26 -62 26 62 -9 -5v62h16v-28l-6 3 17 -40 17 40 -6 -3V210z', a)
        + path('M78 132h10v16h-10zM96 132h10v16h-10z', b) + range(4).map((i) => path(`M${22 + i * 42 + r() * 14} ${30 + r() * 40}q5 -6 8 0q3 -6 8 0q-4 0 -8 5q-4 -5 -8 -5z`, b)).join('')
      : path(`M0 0H200V${range(11).map((i) => `${(70 + (i % 2 ? 20 : 64) + r() * 50).toFixed(0)}H${200 - (i + 1) * 18.2}V`).join('')}0Z`, a, 'stroke-linejoin="round"')
      + `<ellipse cx="100" cy="84" rx="62" ry="30" fill="${b}"/>` + circle(100, 84, 25, g) + circle(100, 84, 11, a) + circle(109, 75, 4.5, b),
    Musical: (r, [, a, b]) => range(7).map((i) => path(`M${i * 34 - 10} 0q-14 110 ${i % 2 ? 10 : -6} 200h24q${i % 2 ? -8 : 12} -90 8 -200z`, a, `opacity="${.55 + (i % 2) * .45}"`)).join('')
      + range(12).map((i) => circle(100 + 66 * Math.cos(i * .5236), 106 + 66 * Math.sin(i * .5236), 5, b)).join('')
      + path('M92 132V78l36 -9v53', 'none', `stroke="${b}" stroke-width="6" stroke-linejoin="round"`) + circle(84, 133, 10, b) + circle(120, 124, 10, b),
    Mystery: (r, [g, a, b]) => range(7).map((i) => ring(100, 100, 18 + i * 17, a, 5, `opacity="${1 - i * .1}" stroke-dasharray="${40 + r() * 120} ${8 + r() * 16}" transform="rotate(${r() * 360} 100 100)"`)).join('')
      + circle(100, 100, 44, b) + circle(100, 90, 14, g) + path('M94 96h12l8 34h-28z', g),
    Romance: (r, [g, a, b]) => {
      const kind = Math.floor(r() * 3);
      if (kind === 0) return rect(0, 0, 200, 300, a, 'opacity=".28"') + circle(100, 96, 66, b)
        + path('M38 300V168q0 -30 24 -42q-12 -10 -8 -26q4 -15 20 -13t15 18q-1 14 -11 21q22 12 22 42V300z', a)
        + path('M162 300V172q0 -30 -24 -42q12 -10 8 -26q-4 -15 -20 -13t-15 18q1 14 11 21q-22 12 -22 42V300z', g);
      if (kind === 1) return range(5).map((i) => path(`M100 ${186 - i * 8}C${10 + i * 16} ${126 - i * 2} ${26 + i * 13} ${34 + i * 13} 100 ${76 + i * 8}C${174 - i * 13} ${34 + i * 13} ${190 - i * 16} ${126 - i * 2} 100 ${186 - i * 8}Z`, [a, b, a, b, g][i])).join('');
      const tilt = (r() - .5) * 40;
      return `<g transform="rotate(${tilt} 100 104)">` + circle(74, 104, 54, a) + circle(126, 104, 54, b, 'style="mix-blend-mode:multiply"')
        + path('M100 57a54 54 0 0 1 0 94a54 54 0 0 1 0 -94z', a) + '</g>' + path('M30 200q70 -26 140 0', 'none', `stroke="${b}" stroke-width="2.5"`);
    },
    'Sci-Fi': (r, [g, a, b]) => {
      const kind = Math.floor(r() * 2), tilt = -20 - r() * 20;
      if (kind === 0) return stars(r, 50, b) + circle(100, 96, 47, a) + path('M53 96a47 47 0 0 0 94 0a60 40 0 0 1 -94 0z', g, 'opacity=".35"')
        + `<g transform="rotate(${tilt} 100 96)"><ellipse cx="100" cy="96" rx="84" ry="17" fill="none" stroke="${b}" stroke-width="4"/></g>`
        + path('M62 70a47 47 0 0 1 76 0q-38 -26 -76 0z', a) + circle(34 + r() * 20, 168, 7, b);
      return circle(100, 92, 54, b) + range(6).map((i) => rect(40, 88 + i * 11, 120, 2 + i * 1.3, g)).join('')
        + rect(0, 160, 200, 140, g) + range(8).map((i) => path(`M0 ${160 + i * i * 2.4}H200`, 'none', `stroke="${a}" stroke-width="1.4"`)).join('')
        + range(13).map((i) => path(`M100 160L${-260 + i * 60} 300`, 'none', `stroke="${a}" stroke-width="1.2"`)).join('');
    },
    Thriller: (r, [g, a, b]) => r() < .5
      ? path('M0 0H200V200H0z', a, 'opacity=".16"') + range(5).map((i) => path(`M${16 + i * 36} 0h20l${(r() - .5) * 20} ${110 + r() * 90}h-14z`, i === 2 ? a : b, `opacity="${i === 2 ? 1 : .3 + r() * .3}"`)).join('')
        + path('M93 92a9 9 0 1 1 14 0q10 3 10 16v40h-8v52h-18v-52h-8v-40q0 -13 10 -16z', g)
      : range(9).map((i) => rect(100 - 92 + i * 10, 100 - 92 + i * 10, 184 - i * 20, 184 - i * 20, 'none', `stroke="${i % 2 ? b : a}" stroke-width="4.5" transform="rotate(${i * (5 + r() * 2)} 100 100)"`)).join('')
      + circle(100, 100, 9, a),
    War: (r, [, a, b]) => [-.62, -.2, .24, .6].map((t) => wedge(100, 224, 300, -1.5708 + t - .1, -1.5708 + t + .1, b, 'opacity=".34"')).join('')
      + circle(100, 208, 60, a) + path(`M0 232${ridge(r, 226, 34, 9)}L200 300L0 300Z`, b, 'opacity=".9"')
      + path('M92 206l8 -52 8 52z', b) + path('M70 214l5 -30 5 30zM126 214l5 -30 5 30z', b, 'opacity=".8"'),
    Western: (r, [g, a, b]) => circle(100, 112, 58, b) + range(5).map((i) => rect(30, 126 + i * 11, 140, 2.5 + i, g)).join('')
      + path('M0 186h22l6 -62h34l6 40h22v26h32l8 -86h30l8 70h32v126H0z', a, 'opacity=".95"')
      + path(`M146 214v-40q0 -6 5 -6t5 6v12h6v-12q0 -4 4 -4t4 4v20h-14v20z`, g),
  };

  // Mean glyph widths in em, to fit a title to the sheet without measuring it.
  const FACES = {
    bebas: { family: '"Bebas Neue"', width: 0.43, leading: 0.92, upper: true },
    serif: { family: '"DM Serif Display"', width: 0.58, leading: 1.0, upper: false },
    deco: { family: '"Limelight"', width: 0.66, leading: 1.02, upper: false },
    round: { family: '"Righteous"', width: 0.62, leading: 1.0, upper: false },
    grotesk: { family: '"Space Grotesk"', width: 0.64, leading: 0.98, upper: false, weight: 600 },
  };
  const LOUD = new Set(['Action', 'Crime', 'Horror', 'Thriller', 'War', 'Western']);
  const TITLE_ABOVE = new Set(['Comedy', 'Crime', 'Documentary', 'Drama', 'Mystery', 'Romance', 'Thriller']);
  const PLAYFUL = new Set(['Animation', 'Children', 'Comedy', 'Fantasy', 'Musical', 'Adventure']);

  const faceOf = (voice, year) => {
    if (year < 1950 || voice === 'Film-Noir') return 'deco';
    if (voice === 'Sci-Fi' || voice === 'Documentary') return year < 1985 ? 'round' : 'grotesk';
    if (LOUD.has(voice)) return 'bebas';
    if (PLAYFUL.has(voice) && year < 2005) return 'round';
    if (voice === 'Comedy' && year >= 2005) return 'grotesk';
    return 'serif';
  };

  // Rough glyph widths relative to a face's mean.
  const units = (text) => [...text].reduce((sum, c) => sum + (/[mwMW]/.test(c) ? 1.42 : /[iljIJ1.,:;'!| ]/.test(c) ? 0.58 : 1), 0);

  // The largest size, in hundredths of the sheet's width, at which the title fits its area.
  const fit = (title, face) => {
    const longest = Math.max(...title.split(/[\s-]+/).map(units), 3);
    const byWord = 82 / (longest * face.width);
    const byArea = Math.sqrt((84 * 46) / (Math.max(units(title), 4) * face.width * face.leading * 1.16));
    return Math.min(face.upper ? 30 : 21, byWord, byArea).toFixed(2);
  };

  const voiceOf = (genres, seed) => {
    const sure = UNMISTAKABLE.find((name) => genres.includes(name));
    if (sure) return sure;
    const known = genres.filter((name) => name in PALETTES);
    const telling = known.filter((name) => !PLAIN.includes(name));
    const choice = telling.length ? telling : known;
    return choice[(seed >>> 7) % choice.length] ?? 'Drama';
  };

  const POSTER_HOSTS = new Set(document.querySelector('meta[name="poster-hosts"]')?.content.split(' '));

  // The catalogue's own poster lies over the drawn one, unseen until it has come: if it never does, the drawn one stays.
  const photo = (h, url) => url && POSTER_HOSTS.has(new URL(url).host) && h('img', {
    key: url, className: 'rw-photo', src: url, alt: '', referrerPolicy: 'no-referrer', decoding: 'async', draggable: false,
    onLoad: ({ currentTarget }) => currentTarget.classList.add('is-there'),
  });

  /** A poster as React elements. `h` is React.createElement; the sheet scales with its width. */
  const poster = (h, movie) => {
    const seed = hash(movie.item_id + movie.title);
    const voice = voiceOf(movie.genres ?? [], seed);
    const year = movie.year ?? 2000;
    const moods = PALETTES[voice];
    const colours = moods[seed % moods.length];
    const name = faceOf(voice, year);
    const face = FACES[name];
    const era = year < 1950 ? 'early' : year < 1970 ? 'mid' : year < 1990 ? 'late' : 'new';
    const style = {
      '--ground': colours[0], '--shape': colours[1], '--accent-ink': colours[2], '--ink': colours[3],
      '--title-size': `${fit(movie.title, face)}cqw`, '--title-face': face.family, '--title-leading': face.leading,
      '--title-weight': face.weight ?? 400,
    };
    const above = TITLE_ABOVE.has(voice) && year >= 1950 && (seed >>> 5) % 3 === 0;
    const art = `<svg viewBox="0 ${above ? -96 : 0} 200 300" preserveAspectRatio="xMidYMin slice" aria-hidden="true">${MOTIFS[voice](dice(seed), colours)}</svg>`;
    const credit = movie.director?.length ? `${movie.director.slice(0, 2).join(' & ')}` : '';
    return h('div', { className: `rw-poster rw-era-${era}${above ? ' rw-above' : ''}`, style, 'aria-hidden': true },
      h('div', { className: 'rw-art', dangerouslySetInnerHTML: { __html: art } }),
      h('div', { className: 'rw-sheet' },
        h('span', { className: 'rw-strap' }, voice === 'Film-Noir' ? 'Film noir' : voice, h('i', null), movie.year ?? ''),
        h('span', { className: `rw-title${face.upper ? ' rw-upper' : ''}` }, movie.title),
        credit && h('span', { className: 'rw-credit' }, credit)),
      photo(h, movie.poster));
  };

  /* ---------- reactions: one truth for every card on the page ---------- */

  const reactions = new Map();
  const taste = { current: null };
  const listeners = new Set();
  const announce = () => listeners.forEach((listener) => listener());
  const subscribe = (listener) => { listeners.add(listener); return () => listeners.delete(listener); };

  const useReaction = (React, itemId) =>
    React.useSyncExternalStore(subscribe, () => reactions.get(itemId) ?? null);

  // A card's nodes do not last: Chainlit builds the whole page anew once a conversation has an
  // address. What a card knows is kept here for each time that the server has drawn it.
  const drawings = new Map();
  const first = (drawn, name, value) => {
    const slot = `${drawn} ${name}`;
    if (!drawings.has(slot)) drawings.set(slot, value());
    return slot;
  };
  /** React's useState, for what has to outlive the nodes of a card. */
  const useKept = (React, drawn, name, value) => {
    const slot = first(drawn, name, value);
    const set = React.useCallback((next) => {
      drawings.set(slot, typeof next === 'function' ? next(drawings.get(slot)) : next);
      announce();
    }, [slot]);
    return [React.useSyncExternalStore(subscribe, () => drawings.get(slot)), set];
  };
  const useTaste = (React, drawn, given) => {
    first(drawn, 'taste', () => { taste.current = given; });
    return React.useSyncExternalStore(subscribe, () => taste.current);
  };
  const mark = (itemId, direction) => {
    if ((reactions.get(itemId) ?? null) === direction) return;
    if (direction) reactions.set(itemId, direction); else reactions.delete(itemId);
    announce();
  };
  /** What a card was drawn with, taken over once: later nodes of it must not bring back what was changed since. */
  const markAsDrawn = (drawn, itemId, direction) => { first(drawn, `mark ${itemId}`, () => mark(itemId, direction)); };

  /* ---------- the server: one call after the other, shown at once and taken back on failure ---------- */

  let queue = Promise.resolve();
  let waiting = 0; // calls; while there are any, the page shows what the server may not know yet
  const wait = (more) => {
    waiting += more;
    document.documentElement.toggleAttribute('data-rw-waiting', waiting > 0);
  };
  const ask = (callAction, name, payload) => {
    wait(1);
    const call = queue.then(async () => {
      const reply = await Promise.resolve(callAction({ name, payload })).catch(() => undefined);
      const answer = reply?.response;
      if (!answer?.ok) throw new Error(answer?.message ?? 'I could not reach the server. Try again.');
      return answer;
    });
    queue = call.catch(() => undefined).finally(() => wait(-1));
    return call;
  };

  const settle = async (itemId, direction, call) => {
    const before = reactions.get(itemId) ?? null;
    mark(itemId, direction);
    try {
      const answer = await call;
      taste.current = answer.taste;
      announce();
      return answer;
    } catch (error) {
      mark(itemId, before);
      throw error;
    }
  };

  const swipe = (callAction, itemId, direction, sessionId = null) =>
    settle(itemId, direction, ask(callAction, 'swipe', { item_id: itemId, direction, session_id: sessionId }));
  const undo = (callAction, itemId) => settle(itemId, null, ask(callAction, 'undo', { item_id: itemId }));
  const history = async (callAction, name, payload) => {
    const answer = await ask(callAction, `${name}_history`, payload);
    if (answer.taste) { taste.current = answer.taste; announce(); }
    return answer;
  };
  const explain = (callAction, itemId) => ask(callAction, 'explain', { item_id: itemId });

  // Chainlit compiles an element anew whenever the conversation moves on. Handing React the same
  // component each time keeps its state: a half-finished stack of cards stays half-finished.
  const kept = new Map();
  const keep = (name, component) => kept.get(name) ?? (kept.set(name, component), component);

  // Brings an element into view, its top first, and keeps it there until somebody touches the page:
  // Chainlit goes to the end of the conversation whenever a message is updated, and what stands
  // above grows as it loads. Scrolls the conversation only: scrollIntoView would shift the page's
  // other scrollers too. Returns what lets go of it.
  const GESTURES = ['wheel', 'touchstart', 'pointerdown', 'keydown'];
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowY);
  const reveal = (element) => {
    let scroller = element?.parentElement;
    while (scroller && !scrolls(scroller)) scroller = scroller.parentElement;
    if (!scroller) return undefined;
    const place = () => {
      const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
      const [inner, outer] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()];
      const above = inner.top - outer.top - 12;
      const below = Math.min(inner.bottom - outer.bottom + 24, above);
      const top = below > 0 ? below : Math.min(above, 0);
      if (Math.abs(top) > 1) scroller.scrollBy({ top, behavior: calm ? 'auto' : 'smooth' });
    };
    const held = new AbortController();
    const release = () => held.abort();
    const grown = new ResizeObserver(place);
    [element, ...scroller.children].forEach((each) => grown.observe(each));
    held.signal.addEventListener('abort', () => grown.disconnect());
    scroller.addEventListener('scrollend', place, { signal: held.signal });
    GESTURES.forEach((each) => window.addEventListener(each, release, { signal: held.signal, capture: true, passive: true }));
    place();
    return release;
  };

  /* ---------- the keys, on a question mark ---------- */

  const KEYS = [
    ['→', 'Like'], ['←', 'Not for me'], ['↓', "Haven't seen it"], ['⌫', 'Undo'],
    ['Tab', 'On to the next button'], ['Enter', 'Send, or press the button'], ['?', 'These keys'],
  ];
  const typing = (element) => element?.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element?.tagName ?? '');
  const showKeys = () => {
    if (document.querySelector('dialog.rw-keys[open]')) return;
    const dialog = document.createElement('dialog');
    dialog.className = 'rw rw-keys';
    dialog.setAttribute('aria-label', 'Keys');
    dialog.innerHTML = `<h3>Keys</h3><dl>${KEYS.map(([key, does]) => `<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`).join('')}</dl>`
      + '<form method="dialog"><button class="rw-ghost rw-small">Close</button></form>';
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener('keydown', (event) => {
    if (event.key === '?' && !event.ctrlKey && !event.metaKey && !typing(event.target)) showKeys();
  });

  window.Reelwise = { poster, keep, mark, markAsDrawn, reveal, useKept, useReaction, useTaste, swipe, undo, explain, history };
})();
