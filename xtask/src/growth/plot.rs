//! The plot of what an item costs among many: a small one for each figure.

use super::{Growth, MOST, SIZES, thousands};
use std::fmt::Write as _;

const COLUMNS: usize = 3;
const WIDTH: f64 = 800.0;
const PANEL: (f64, f64) = (266.0, 128.0);
/// Where the curve's own field begins in its panel, and how large it is.
const FIELD: (f64, f64, f64, f64) = (24.0, 34.0, 214.0, 62.0);

/// Where a panel's title begins.
const TITLE: f64 = 10.0;

/// Sizes double at the same distance everywhere; a curve begins at 0 microseconds, so that a level one costs the same among many.
pub(super) fn plot(figures: &[Growth]) -> String {
    let rows = u32::try_from(figures.len().div_ceil(COLUMNS)).unwrap_or(u32::MAX);
    let height = 32.0 + PANEL.1 * f64::from(rows);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"18\">microseconds an item among 10 to 4,000; dashed: twice the cost among 100; red: more than that among the most</text>\n",
        TITLE
    );
    let (mut left, mut top) = (0.0, 32.0);
    for (at, figure) in figures.iter().enumerate() {
        if at > 0 && at % COLUMNS == 0 {
            (left, top) = (0.0, top + PANEL.1);
        }
        panel(&mut svg, figure, (left, top));
        left += PANEL.0;
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(svg: &mut String, figure: &Growth, (left, top): (f64, f64)) {
    let (x0, y0, width, height) = (left + FIELD.0, top + FIELD.1, FIELD.2, FIELD.3);
    let twice = figure.micros.get(&100).map(|micros| micros * MOST);
    let highest = figure.micros.values().copied().chain(twice).fold(f64::MIN_POSITIVE, f64::max);
    let log = |size: usize| f64::from(u32::try_from(size).unwrap_or(u32::MAX)).log10();
    let x = |size| x0 + width * (log(size) - log(SIZES[0])) / (log(SIZES[SIZES.len() - 1]) - log(SIZES[0]));
    let y = |micros: f64| y0 + height * (1.0 - micros / highest);
    let color = if figure.grows() { "#c64" } else { "#2a7" };

    let _ =
        writeln!(svg, "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>", left + TITLE, top + 12.0, figure.name);
    for size in SIZES {
        let at = x(size);
        let _ =
            writeln!(svg, "<line x1=\"{at:.1}\" y1=\"{y0}\" x2=\"{at:.1}\" y2=\"{}\" stroke=\"#ddd\"/>", y0 + height);
        let _ = writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">{}</text>",
            y0 + height + 14.0,
            thousands(size)
        );
    }
    let line = |svg: &mut String, at: f64, how: &str| {
        let _ = writeln!(svg, "<line x1=\"{x0}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" {how}/>", x0 + width);
    };
    line(svg, y(0.0), "stroke=\"#333\"");
    if let Some(twice) = twice {
        line(svg, y(twice), "stroke=\"#999\" stroke-dasharray=\"4 3\"");
    }
    let points: Vec<String> =
        figure.micros.iter().map(|(size, micros)| format!("{:.1},{:.1}", x(*size), y(*micros))).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>",
        points.join(" ")
    );
    for (size, micros) in &figure.micros {
        let (x, y) = (x(*size), y(*micros));
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{micros:.2}</text>", y - 6.0);
    }
}
