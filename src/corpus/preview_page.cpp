#include "corpus/preview_page.h"

#include <cmath>

#include "limbeck/audio/spectrogram.h"
#include "limbeck/core/format.h"
#include "limbeck/core/plot.h"

namespace limbeck {
namespace {

constexpr const char* kStyle = R"css(
:root { color-scheme: light; --ink: #1c1b22; --soft: #66626f; --line: #dcd9e2; --paper: #f6f5f8; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; margin: 0 0 6px; }
h2 { font-size: 16px; margin: 0 0 12px; overflow-wrap: anywhere; }
h2 span { color: var(--soft); font-weight: 400; margin-right: 8px; }
p { margin: 0 0 12px; color: var(--soft); max-width: 80ch; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; font-size: 14px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
header dl { margin-bottom: 16px; }
article { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 18px; margin-top: 20px; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; margin-bottom: 14px; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: 6px; }
.plot { display: grid; grid-template-columns: 34px 1fr; }
.khz { position: relative; height: 210px; }
.khz span, .time span { position: absolute; font-size: 11px; color: var(--soft); white-space: nowrap; }
.khz span { right: 6px; transform: translateY(50%); }
.time { grid-column: 2; position: relative; height: 20px; }
.time span { top: 3px; transform: translateX(-50%); }
.time span:first-child { transform: none; }
.time span:last-child { transform: translateX(-100%); }
.picture { position: relative; height: 210px; cursor: pointer; overflow: hidden; border-radius: 3px; }
.picture img { width: 100%; height: 100%; display: block; }
.head { position: absolute; top: 0; bottom: 0; left: 0; width: 2px; background: #fff; opacity: 0; pointer-events: none; }
audio { width: 100%; height: 36px; margin-top: 6px; }
.scale { display: flex; align-items: center; gap: 8px; font-size: 13px; color: var(--soft); }
.scale i { width: 220px; height: 12px; border-radius: 3px; }
@media (max-width: 760px) { .sides { grid-template-columns: 1fr; } }
)css";

// One player at a time; within an example the other side goes on from the same place.
constexpr const char* kScript = R"js(
let playing = null;
for (const audio of document.querySelectorAll('audio')) {
  const figure = audio.closest('figure');
  const picture = figure.querySelector('.picture');
  const head = figure.querySelector('.head');
  const seconds = Number(figure.dataset.seconds);
  const draw = () => {
    head.style.opacity = audio.currentTime > 0 ? 0.9 : 0;
    head.style.left = 100 * audio.currentTime / seconds + '%';
    if (!audio.paused) requestAnimationFrame(draw);
  };
  audio.addEventListener('play', () => {
    if (playing && playing !== audio && !playing.paused) {
      playing.pause();
      if (playing.closest('article') === audio.closest('article')) audio.currentTime = playing.currentTime;
    }
    playing = audio;
    draw();
  });
  audio.addEventListener('seeked', draw);
  picture.addEventListener('click', event => {
    audio.currentTime = seconds * event.offsetX / picture.clientWidth;
    audio.play();
  });
}
)js";

std::string list_of(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string html = "<dl>\n";
  for (const auto& [name, value] : facts) {
    html += "<dt>" + escape_markup(name) + "</dt><dd>" + escape_markup(value) + "</dd>\n";
  }
  return html + "</dl>\n";
}

std::string frequency_axis(int rate_hz) {
  const double top = 0.0005 * rate_hz;
  const double step = tick_step(top, 4.5);
  std::string html = "<div class=\"khz\">";
  for (double khz = 0; khz <= top * 1.0001; khz += step) {
    const bool last = khz + step > top * 1.0001;
    html += format("<span style=\"bottom:%.2f%%\">%s%s</span>", 100 * khz / top,
                   shortest(std::round(khz * 100) / 100), last ? " kHz" : "");
  }
  return html + "</div>";
}

std::string time_axis(double seconds) {
  const double step = tick_step(seconds, 5);
  std::string html = "<div class=\"time\">";
  for (int i = 0; i * step < seconds - 0.4 * step; ++i) {
    html += format("<span style=\"left:%.2f%%\">%s</span>", 100 * i * step / seconds,
                   shortest(std::round(i * step * 1000) / 1000));
  }
  return html + format("<span style=\"left:100%%\">%s s</span></div>",
                       shortest(std::round(seconds * 1000) / 1000));
}

std::string side(const PreviewCard& card, const std::string& name, int rate_hz) {
  const std::string file = card.number + "_" + name;
  return format("<figure data-seconds=\"%.6f\"><figcaption>%s</figcaption>\n<div class=\"plot\">",
                card.seconds, name) +
         frequency_axis(rate_hz) + "<div class=\"picture\"><img src=\"" + file +
         ".png\" alt=\"spectrogram of " + file + "\"><div class=\"head\"></div></div>" +
         time_axis(card.seconds) + "</div>\n<audio controls preload=\"metadata\" src=\"" + file +
         ".wav\"></audio></figure>\n";
}

std::string colour_scale() {
  std::vector<std::string> stops;
  for (int i = 0; i <= 8; ++i) {
    const Colour c = magma(i / 8.0);
    stops.push_back(format("rgb(%d,%d,%d)", c[0], c[1], c[2]));
  }
  return format("<div class=\"scale\">%g dB <i style=\"background:linear-gradient(90deg,",
                kDarkestDb) +
         join(stops, ",") +
         format(")\"></i> %g dB, where a full-scale sine has 0 dB</div>\n", kLightestDb);
}

}  // namespace

std::string preview_html(const PreviewPage& page) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>" +
      escape_markup(page.title) + "</title>\n<style>" + kStyle +
      "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>" + escape_markup(page.title) +
      "</h1>\n<p>Click a spectrogram to play from there; the other side of the "
      "same example goes on where this one was.</p>\n" +
      list_of(page.facts) + colour_scale() + "</header>\n";
  for (const PreviewCard& card : page.cards) {
    html += "<article>\n<h2><span>" + card.number + "</span>" + escape_markup(card.title) +
            "</h2>\n<div class=\"sides\">\n" + side(card, "noisy", page.rate_hz) +
            side(card, "clean", page.rate_hz) + "</div>\n" + list_of(card.facts) + "</article>\n";
  }
  return html + "</main>\n<script>" + kScript + "</script>\n</body>\n</html>\n";
}

}  // namespace limbeck
