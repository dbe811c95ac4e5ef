//! Plots as PDF and PNG.

use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result, bail};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Family, Query};
use resvg::usvg::{Options, Tree};

/// Pixels of a PNG for each of the drawing.
const ZOOM: f32 = 2.0;
/// Looked for in this order; the first that is there is the one that is used.
const FAMILIES: [&str; 5] = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica"];

/// The machine's fonts, with `sans-serif` standing for one that exists.
fn fonts() -> Result<Arc<Database>> {
    static FONTS: OnceLock<Option<Arc<Database>>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        let is_there =
            |name: &&str| fonts.query(&Query { families: &[Family::Name(name)], ..Query::default() }).is_some();
        let family = FAMILIES.into_iter().find(is_there)?;
        fonts.set_sans_serif_family(family);
        Some(Arc::new(fonts))
    });
    let Some(fonts) = fonts else {
        bail!("PDF and PNG need one of the fonts {}: apt-get install fonts-dejavu-core", FAMILIES.join(", "))
    };
    Ok(Arc::clone(fonts))
}

/// A PDF with one page, of the drawing's size.
///
/// # Errors
/// There is no font, or the SVG cannot be read.
pub(crate) fn pdf(svg: &str) -> Result<Vec<u8>> {
    let options = svg2pdf::usvg::Options { fontdb: fonts()?, ..svg2pdf::usvg::Options::default() };
    let tree = svg2pdf::usvg::Tree::from_str(svg, &options).context("a plot's SVG")?;
    match svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), svg2pdf::PageOptions::default()) {
        Ok(pdf) => Ok(pdf),
        Err(error) => bail!("a plot could not be made a PDF: {error}"),
    }
}

/// A PNG, twice as large as the drawing.
///
/// # Errors
/// There is no font, or the SVG cannot be read.
pub(crate) fn png(svg: &str) -> Result<Vec<u8>> {
    let options = Options { fontdb: fonts()?, ..Options::default() };
    let tree = Tree::from_str(svg, &options).context("a plot's SVG")?;
    let size = tree.size().to_int_size().scale_by(ZOOM).context("a plot's size")?;
    let mut pixels = Pixmap::new(size.width(), size.height()).context("a plot's size")?;
    resvg::render(&tree, Transform::from_scale(ZOOM, ZOOM), &mut pixels.as_mut());
    pixels.encode_png().context("PNG")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\"><text x=\"2\" y=\"15\" \
                       font-family=\"sans-serif\" font-size=\"12\">a</text></svg>";

    #[test]
    fn files_are_what_they_are_called() {
        if fonts().is_err() {
            return; // A machine without fonts; the error says what to install.
        }
        assert!(pdf(SVG).unwrap().starts_with(b"%PDF"));
        let image = png(SVG).unwrap();
        assert!(image.starts_with(b"\x89PNG"));
        let pixels = Pixmap::decode_png(&image).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (80, 40));
        assert!(pixels.pixels().iter().any(|pixel| pixel.alpha() > 0), "the text is there");
    }
}
