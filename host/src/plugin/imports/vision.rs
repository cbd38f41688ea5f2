//! `vision`: what models see in pictures.

use mimus_engine::vision;
use wasmtime::component::Resource;

use super::inference::to_wit;
use crate::inference::InferenceError;
use crate::media::Picture;
use crate::plugin::bindings::personality::mimus::plugin::inference::Error;
use crate::plugin::bindings::personality::mimus::plugin::media::Point;
use crate::plugin::bindings::personality::mimus::plugin::vision as wit;
use crate::plugin::guest::Guest;

/// A result as the guest gets it, inside the one that ends it.
type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl wit::Host for Guest {
    async fn describe(&mut self, model: String) -> Answer<wit::Description> {
        self.count_call()?;
        let inference = self.services.inference.clone();
        Ok(self.wait(inference.describe_vision(&model)).await.map(to_description).map_err(to_wit))
    }

    async fn predict(
        &mut self,
        model: String,
        images: Vec<Resource<Picture>>,
        options: wit::Options,
    ) -> Answer<Vec<wit::Prediction>> {
        self.count_call()?;
        let images = self.images(&images)?;
        let inference = self.services.inference.clone();
        let predictions = self.wait(inference.predict(&model, images, to_options(options))).await;
        Ok(predictions.map(|all| all.into_iter().map(to_prediction).collect()).map_err(to_wit))
    }

    async fn embed_images(&mut self, model: String, images: Vec<Resource<Picture>>) -> Answer<Vec<Vec<f32>>> {
        self.count_call()?;
        let images = self.images(&images)?;
        let inference = self.services.inference.clone();
        Ok(self.wait(inference.embed_images(&model, images)).await.map_err(to_wit))
    }

    async fn embed_texts(&mut self, model: String, texts: Vec<String>) -> Answer<Vec<Vec<f32>>> {
        self.count_call()?;
        let inference = self.services.inference.clone();
        Ok(self.wait(inference.embed_picture_texts(&model, texts)).await.map_err(to_wit))
    }

    async fn read_text(&mut self, model: String, image: Resource<Picture>) -> Answer<Vec<wit::TextBlock>> {
        self.count_call()?;
        let image = self.table.get(&image)?.image().clone();
        let inference = self.services.inference.clone();
        let blocks: Result<_, InferenceError> = self.wait(inference.read_text(&model, image)).await;
        Ok(blocks.map(|all| all.into_iter().map(to_block).collect()).map_err(to_wit))
    }

    async fn gaze(&mut self, model: String, image: Resource<Picture>, finds_faces: bool) -> Answer<Vec<wit::Face>> {
        self.count_call()?;
        let image = self.table.get(&image)?.image().clone();
        let inference = self.services.inference.clone();
        let faces = self.wait(inference.gaze(&model, image, finds_faces)).await;
        Ok(faces.map(|all| all.into_iter().map(to_face).collect()).map_err(to_wit))
    }
}

fn to_description(description: vision::Description) -> wit::Description {
    wit::Description {
        task: match description.task {
            vision::Task::ObjectDetection => wit::Task::ObjectDetection,
            vision::Task::InstanceSegmentation => wit::Task::InstanceSegmentation,
            vision::Task::KeypointDetection => wit::Task::KeypointDetection,
            vision::Task::Classification => wit::Task::Classification,
            vision::Task::MultiLabelClassification => wit::Task::MultiLabelClassification,
            vision::Task::ImageText => wit::Task::ImageText,
            vision::Task::TextReading => wit::Task::TextReading,
            vision::Task::GazeDetection => wit::Task::GazeDetection,
        },
        input_width: description.input_width,
        input_height: description.input_height,
        batch: description.batch,
        classes: description.classes,
        colors: description.colors,
        is_oriented: description.is_oriented,
    }
}

fn to_options(options: wit::Options) -> vision::PredictOptions {
    vision::PredictOptions {
        confidence: options.confidence,
        iou: options.iou,
        detections_max: options.detections_max,
        candidates_max: options.candidates_max,
        is_class_agnostic: options.is_class_agnostic,
        classes: options.classes,
        keypoint_confidence: options.keypoint_confidence,
        post_processing: match options.post_processing {
            wit::PostProcessing::Modern => vision::PostProcessing::Modern,
            wit::PostProcessing::Legacy => vision::PostProcessing::Legacy,
        },
        mask_mode: match options.mask_mode {
            wit::MaskMode::Accurate => vision::MaskMode::Accurate,
            wit::MaskMode::Tradeoff(factor) => vision::MaskMode::Tradeoff(factor),
            wit::MaskMode::Fast => vision::MaskMode::Fast,
        },
        mask_form: match options.mask_form {
            wit::MaskForm::Polygon => vision::MaskForm::Polygon,
            wit::MaskForm::Rle => vision::MaskForm::Rle,
        },
        is_mask_reduced: options.is_mask_reduced,
        skip_static_crop: options.skip_static_crop,
        skip_contrast: options.skip_contrast,
        skip_grayscale: options.skip_grayscale,
    }
}

fn to_prediction(prediction: vision::Prediction) -> wit::Prediction {
    let findings = match prediction.findings {
        vision::Findings::Objects(objects) => wit::Findings::Objects(objects.into_iter().map(to_object).collect()),
        vision::Findings::Classes(classes) => {
            let class = |score: vision::ClassScore| wit::ClassScore {
                id: score.id,
                name: score.name,
                confidence: score.confidence,
            };
            wit::Findings::Classes(classes.into_iter().map(class).collect())
        }
    };
    wit::Prediction { width: prediction.width, height: prediction.height, findings }
}

fn to_object(object: vision::Object) -> wit::Object {
    let keypoint = |point: vision::Keypoint| wit::Keypoint {
        x: point.x,
        y: point.y,
        confidence: point.confidence,
        id: point.id,
        name: point.name,
    };
    wit::Object {
        x: object.x,
        y: object.y,
        width: object.width,
        height: object.height,
        confidence: object.confidence,
        class_id: object.class_id,
        class_name: object.class_name,
        polygon: object.polygon.into_iter().map(to_point).collect(),
        rle: object.rle.map(|rle| wit::RleMask { height: rle.height, width: rle.width, counts: rle.counts }),
        keypoints: object.keypoints.into_iter().map(keypoint).collect(),
    }
}

fn to_point(point: vision::Point) -> Point {
    Point { x: point.x, y: point.y }
}

fn to_block(block: vision::Block) -> wit::TextBlock {
    let word = |word: vision::Word| wit::Word {
        text: word.text,
        confidence: word.confidence,
        x: word.x,
        y: word.y,
        width: word.width,
        height: word.height,
    };
    let line = |line: vision::Line| wit::TextLine { words: line.words.into_iter().map(word).collect() };
    wit::TextBlock { lines: block.lines.into_iter().map(line).collect() }
}

fn to_face(face: vision::Face) -> wit::Face {
    wit::Face {
        x: face.x,
        y: face.y,
        width: face.width,
        height: face.height,
        confidence: face.confidence,
        landmarks: face.landmarks.into_iter().map(to_point).collect(),
        yaw: face.yaw,
        pitch: face.pitch,
    }
}
