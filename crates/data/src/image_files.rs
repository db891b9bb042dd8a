//! The pictures below a folder, and the PNG that each becomes below another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::raster::Raster;
use crate::source::{File, files_below, no_image};

/// Pictures to be read one by one.
pub struct PictureFolder {
    root: PathBuf,
    files: Vec<File>,
}

impl PictureFolder {
    /// Lists the pictures, by path; nothing is read yet.
    ///
    /// # Errors
    /// `NotAFolder`, `NoImages`, `Read`, `TooDeep`, `TooManyFiles`.
    pub fn list(root: &Path) -> Result<PictureFolder, DataError> {
        PictureFolder::list_but(root, &|_| false)
    }

    fn list_but(root: &Path, left_out: &dyn Fn(&Path) -> bool) -> Result<PictureFolder, DataError> {
        if !root.is_dir() {
            return Err(DataError::NotAFolder { root: root.to_path_buf() });
        }
        let (mut files, others) = files_below(root)?;
        files.retain(|file| !left_out(Path::new(&file.path)));
        if files.is_empty() {
            let (root, detail) = (root.to_path_buf(), no_image(others));
            return Err(DataError::NoImages { root, detail });
        }
        Ok(PictureFolder { root: root.to_path_buf(), files })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// The picture's path below the folder.
    ///
    /// # Panics
    /// If `index` is not below [`PictureFolder::count`].
    pub fn path(&self, index: usize) -> &str {
        &self.files[index].path
    }

    /// The picture, at its own size or resized to a square as held-out images are; or what is
    /// wrong with it.
    ///
    /// # Panics
    /// As [`PictureFolder::path`].
    pub fn read(&self, index: usize, size: Option<u32>) -> Result<Raster, String> {
        Raster::decode(&self.files[index].read(&self.root)?, size)
    }
}

/// Pictures to be read and written one by one: stems and subfolders are kept.
pub struct ImageFiles {
    input: PictureFolder,
    output: PathBuf,
}

impl ImageFiles {
    /// Lists the pictures, by path; nothing is read or made yet. An output folder inside the input
    /// folder is no part of it.
    ///
    /// # Errors
    /// `NotAFolder`, `NoImages`, `SameFolder`, `SameName`, `Read`, `TooDeep`, `TooManyFiles`.
    pub fn list(input: &Path, output: &Path) -> Result<ImageFiles, DataError> {
        if !input.is_dir() {
            return Err(DataError::NotAFolder { root: input.to_path_buf() });
        }
        if output.exists() && !output.is_dir() {
            return Err(DataError::NotAFolder { root: output.to_path_buf() });
        }
        let (real_input, real_output) = (real(input)?, real(output)?);
        if real_input == real_output {
            return Err(DataError::SameFolder { root: input.to_path_buf() });
        }
        let inside = real_output.strip_prefix(&real_input).ok();
        let is_output = |path: &Path| inside.is_some_and(|inside| path.starts_with(inside));
        let folder = PictureFolder::list_but(input, &is_output)?;
        let clashes = clashes(&folder.files, &real_input, &real_output);
        if !clashes.is_empty() {
            return Err(DataError::SameName { clashes });
        }
        Ok(ImageFiles { input: folder, output: output.to_path_buf() })
    }

    pub fn count(&self) -> usize {
        self.input.count()
    }

    /// As [`PictureFolder::path`].
    pub fn path(&self, index: usize) -> &str {
        self.input.path(index)
    }

    /// As [`PictureFolder::read`].
    pub fn read(&self, index: usize, size: Option<u32>) -> Result<Raster, String> {
        self.input.read(index, size)
    }

    /// Writes what has become of the picture; the file is whole or absent.
    ///
    /// # Errors
    /// `Write`, `WriteImage`.
    ///
    /// # Panics
    /// As [`ImageFiles::path`].
    pub fn write(&self, index: usize, picture: &Raster) -> Result<(), DataError> {
        let path = self.output.join(png_name(self.path(index)));
        let dir = path.parent().expect("joined to a folder");
        fs::create_dir_all(dir).map_err(DataError::write(dir))?;
        picture.write_png(&path)
    }
}

/// `STEM.png` in the same subfolder.
fn png_name(path: &str) -> String {
    let (stem, _) = path.rsplit_once('.').expect("images are told by their endings");
    format!("{stem}.png")
}

/// What would be written twice, or over a picture that is to be read.
fn clashes(files: &[File], input: &Path, output: &Path) -> Vec<String> {
    let mut sources: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_sound()) {
        sources.entry(png_name(&file.path)).or_default().push(&file.path);
    }
    let inputs: BTreeSet<PathBuf> = files.iter().map(|file| input.join(&file.path)).collect();
    let mut clashes = Vec::new();
    for (name, from) in sources {
        if from.len() > 1 {
            clashes.push(format!("{name} from {}", from.join(" and ")));
        }
        let target = output.join(&name);
        if inputs.contains(&target) {
            clashes.push(format!("{name} over {}", target.display()));
        }
    }
    clashes
}

/// The folder without links and dots; where it does not exist yet, as far as it does.
fn real(dir: &Path) -> Result<PathBuf, DataError> {
    let absolute = std::path::absolute(dir).map_err(DataError::read(dir))?;
    let there = absolute.ancestors().find(|it| it.exists()).unwrap_or(&absolute);
    let found = there.canonicalize().map_err(DataError::read(there))?;
    let missing = absolute.strip_prefix(there).expect("an ancestor");
    Ok(found.join(missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::tree;

    fn paths(files: &ImageFiles) -> Vec<&str> {
        (0..files.count()).map(|i| files.path(i)).collect()
    }

    fn refusal(dir: &Path, input: &str, output: &str) -> String {
        ImageFiles::list(&dir.join(input), &dir.join(output)).err().unwrap().to_string()
    }

    #[test]
    fn pictures_are_found_in_subfolders_and_written_to_the_same() {
        let dir = tree(&["in/b.JPG", "in/a.x.png", "in/n/c.webp", "in/notes.txt", "in/.d.png"]);
        let files = ImageFiles::list(&dir.path().join("in"), &dir.path().join("out")).unwrap();
        assert_eq!(paths(&files), ["a.x.png", "b.JPG", "n/c.webp"]);
        assert!(!dir.path().join("out").exists(), "listing makes nothing");
        let picture = Raster { width: 4, height: 5, rgb: vec![9; 60] };
        for i in 0..files.count() {
            files.write(i, &picture).unwrap();
        }
        let written = ImageFiles::list(&dir.path().join("out"), &dir.path().join("in")).unwrap();
        assert_eq!(paths(&written), ["a.x.png", "b.png", "n/c.png"]);
        assert_eq!(written.read(2, None).unwrap(), picture);
        assert_eq!(files.read(0, None).unwrap_err(), "the file is empty");
    }

    #[test]
    fn names_that_clash_are_refused_with_the_list() {
        let dir = tree(&["in/a.jpg", "in/a.png", "in/n/b.bmp", "in/n/b.tif", "in/c.png"]);
        let error = refusal(dir.path(), "in", "out");
        for part in ["a.png from a.jpg and a.png", "n/b.png from n/b.bmp and n/b.tif"] {
            assert!(error.contains(part), "{error} lacks {part}");
        }
        assert!(!error.contains("c.png"), "{error}");
        // The input folder inside the output folder: out/in/in/x.png would be out/in/x.png.
        let dir = tree(&["out/in/in/x.jpg", "out/in/x.png", "out/in/y.png"]);
        let error = refusal(dir.path(), "out/in", "out");
        assert!(error.contains("in/x.png over ") && !error.contains("y.png"), "{error}");
    }

    #[test]
    fn a_folder_is_not_translated_into_itself() {
        let dir = tree(&["in/a.png", "in/out/a.png", "in/outer/b.png"]);
        for output in ["in", "in/.", "in/out/.."] {
            assert!(refusal(dir.path(), "in", output).contains("both the folder"), "{output}");
        }
        let files = ImageFiles::list(&dir.path().join("in"), &dir.path().join("in/out")).unwrap();
        assert_eq!(paths(&files), ["a.png", "outer/b.png"], "what is written is not read");
    }

    #[test]
    fn what_is_no_folder_of_images_is_named() {
        let dir = tree(&["in/a.txt", "file", "ok/a.png"]);
        assert!(refusal(dir.path(), "in", "out").contains("1 files, but none ends in"));
        assert!(refusal(dir.path(), "none", "out").contains("is not a folder"));
        assert!(refusal(dir.path(), "ok", "file").contains("is not a folder"));
    }
}
