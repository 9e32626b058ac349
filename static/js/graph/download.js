// Decides the files of a drawing: SVG with its looks written into it, and a PNG made from that.
const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size", "font-weight", "text-anchor", "display"];
const SVG = "http://www.w3.org/2000/svg";

function standing(svg, size) {
  const copy = svg.cloneNode(true);
  const [from, to] = [[...svg.querySelectorAll("*")], [...copy.querySelectorAll("*")]];
  from.forEach((element, at) => {
    const seen = getComputedStyle(element);
    for (const name of LOOKS) to[at].setAttribute(name, seen.getPropertyValue(name));
    for (const name of ["class", "tabindex", "data-drawer"]) to[at].removeAttribute(name);
  });
  // Icons lie in another file, which a picture on its own has not.
  copy.querySelectorAll("use").forEach((use) => use.remove());
  copy.querySelectorAll("a").forEach((link) => link.setAttribute("href", new URL(link.getAttribute("href"), location.href)));
  copy.querySelector("g").setAttribute("transform", "translate(16 16)");
  const [width, height] = [Math.ceil(size.width + 32), Math.ceil(size.height + 32)];
  for (const [name, value] of Object.entries({ xmlns: SVG, width, height, viewBox: `0 0 ${width} ${height}` })) copy.setAttribute(name, value);
  const back = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ width, height, fill: getComputedStyle(document.body).backgroundColor })) back.setAttribute(name, value);
  copy.prepend(back);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

function keep(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function asSvg(svg, size, name) {
  keep(new Blob([standing(svg, size).text], { type: "image/svg+xml" }), `${name}.svg`);
}

export async function asPng(svg, size, name) {
  const { text, width, height } = standing(svg, size);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  // Browsers draw no canvas of any size.
  const scale = Math.min(2, 8000 / width, 8000 / height);
  const canvas = document.createElement("canvas");
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.drawImage(picture, 0, 0);
  canvas.toBlob((blob) => keep(blob, `${name}.png`), "image/png");
}
