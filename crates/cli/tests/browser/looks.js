(() => {
  const defects = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const show = (element) => element.outerHTML.slice(0, 120);
  const words = (element) => element.textContent.trim();

  if (!document.title.trim()) defects.push("no title");
  for (const one of ["h1", "main"]) {
    if (all(one).length !== 1) defects.push(`${all(one).length} ${one}`);
  }
  const levels = all("h1,h2,h3,h4").map((h) => Number(h.tagName[1]));
  levels.forEach((level, at) => {
    if (at > 0 && level > levels[at - 1] + 1) defects.push(`h${level} after h${levels[at - 1]}`);
  });

  const ids = all("[id]").map((element) => element.id);
  for (const id of new Set(ids)) {
    if (ids.filter((other) => other === id).length > 1) defects.push(`two elements are ${id}`);
  }
  for (const name of ["aria-describedby", "aria-labelledby", "for"]) {
    for (const element of all(`[${name}]`)) {
      for (const id of element.getAttribute(name).split(/\s+/)) {
        if (!document.getElementById(id)) defects.push(`${name} leads nowhere: ${show(element)}`);
      }
    }
  }

  for (const field of all("input:not([type=hidden]),select,textarea")) {
    const labelled = [...(field.labels || [])].some(words) || field.getAttribute("aria-label")
      || field.getAttribute("aria-labelledby");
    if (!labelled) defects.push(`no label: ${show(field)}`);
    if (field.getAttribute("aria-invalid") === "true" && !field.getAttribute("aria-describedby")) {
      defects.push(`wrong, but not said why: ${show(field)}`);
    }
  }
  for (const element of all("button,a[href]")) {
    if (!words(element) && !element.getAttribute("aria-label")) defects.push(`no words: ${show(element)}`);
  }
  for (const image of all("img:not([alt])")) defects.push(`no alt: ${show(image)}`);
  for (const table of all("table")) {
    if (!table.querySelector("th")) defects.push(`no heading: ${show(table)}`);
  }
  for (const element of all("[style],[onclick],[onload]")) defects.push(`inline: ${show(element)}`);

  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return dark ? [18, 18, 18] : [255, 255, 255];
  };
  for (const element of all("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const style = getComputedStyle(element);
    if (!own || !element.getClientRects().length || style.visibility === "hidden") continue;
    if (element.closest("[disabled],progress,option,.skip")) continue;
    const [high, low] = [light(rgb(style.color)), light(behind(element))].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) defects.push(`contrast ${contrast.toFixed(1)}: ${show(element)}`);
  }
  return defects;
})()
