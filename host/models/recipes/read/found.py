"""Words of training pages cut out by a trained detector, so that the recogniser meets the cuts that it will get."""

import torch

import boxes
import crops
import pages
from networks import Detector


def detector(checkpoint):
    model = Detector().eval()
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
    return model


def probabilities(model, picture):
    """The map [768, 768] of a picture uint8 [height, width, 3]."""
    x = torch.from_numpy(boxes.normalised(boxes.squared(picture), boxes.MEAN, boxes.STD))[None]
    with torch.no_grad():
        return torch.nn.functional.interpolate(model(x), scale_factor=2, mode="bilinear").sigmoid()[0, 0].numpy()


def words(rng, model, **side):
    """The words that the detector finds on one page, in its boxes; `side` is of training or of the evaluation, as for `pages.page`."""
    picture, lines, _ = pages.page(rng, **side)
    true = [word for line in lines for word in line]
    predicted = boxes.onto_picture(boxes.found(probabilities(model, picture)), picture.shape[1], picture.shape[0])
    pairs = boxes.matched(predicted, [boxes.upright(corners) for _, corners in true])
    return [crops.word(picture, predicted[i][:4], true[j][0], crops.FOUND) for i, j in pairs]
